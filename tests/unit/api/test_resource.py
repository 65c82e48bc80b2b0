from minikube_py.api.resources import DEPLOYMENTS, NODES, PODS


def test_paths_are_upstream_s():
    assert PODS.path("n", "a", "log") == "/api/v1/namespaces/n/pods/a/log"
    assert PODS.path() == "/api/v1/pods"
    assert DEPLOYMENTS.path("n") == "/apis/apps/v1/namespaces/n/deployments"
    assert NODES.path("", "n1") == "/api/v1/nodes/n1"


def test_storage_keys_sort_by_namespace_and_name():
    assert PODS.storage_key("n", "a") == "/registry/core/pods/n/a"
    assert NODES.storage_key("", "n1") == "/registry/core/nodes/n1"


def test_subresources_are_found_by_name():
    scale = DEPLOYMENTS.subresource("scale")

    assert scale is not None
    assert (scale.kind, scale.group, scale.version) == ("Scale", "autoscaling", "v1")
    assert NODES.subresource("scale") is None


def test_names_of_groups_are_part_of_names():
    assert (PODS.api_version, PODS.qualified) == ("v1", "pods")
    assert (DEPLOYMENTS.api_version, DEPLOYMENTS.qualified) == ("apps/v1", "deployments.apps")
