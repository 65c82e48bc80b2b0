from minikube_py.api.endpoint_slices import service_index, service_key_of
from minikube_py.api.meta import ObjectKey


def test_a_slice_belongs_to_the_service_that_its_label_names():
    labelled = {"metadata": {"name": "web-1", "namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}}}

    assert service_key_of(labelled) == ObjectKey("shop", "web")
    assert service_index(labelled) == ("shop/web",)


def test_a_slice_without_the_label_is_nobodys():
    assert service_key_of({"metadata": {"name": "x", "namespace": "shop"}}) is None
    assert service_index({"metadata": {"name": "x", "namespace": "shop"}}) == ()
