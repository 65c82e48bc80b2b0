import pytest

from minikube_py.api.errors import ForbiddenError
from minikube_py.api.resources import PERSISTENT_VOLUME_CLAIMS
from minikube_py.api.table.networking_v1 import INGRESS_CLASSES, INGRESSES
from minikube_py.api.table.storage_v1 import STORAGE_CLASSES
from minikube_py.testing.built_in_admission import DictLookups, Request, admit


def marked(resource, *found):
    prefix = "storageclass" if resource is STORAGE_CLASSES else "ingressclass"
    lookups = DictLookups()
    for name, day, default in found:
        annotations = {f"{prefix}.kubernetes.io/is-default-class": default}
        meta = {"name": name, "creationTimestamp": f"2026-01-0{day}T00:00:00Z", "annotations": annotations}
        lookups.add(resource, {"metadata": meta})
    return lookups


def a_claim(size="1Gi", **spec):
    return {
        "metadata": {"name": "c", "namespace": "n"},
        "spec": {"resources": {"requests": {"storage": size}}, **spec},
    }


def test_a_claim_gets_the_newest_default_class_unless_it_names_one():
    found = marked(STORAGE_CLASSES, ("old", 1, "true"), ("new", 2, "true"), ("newest", 3, "false"))
    assert admit(Request(PERSISTENT_VOLUME_CLAIMS), a_claim(), found)["spec"]["storageClassName"] == "new"
    none = admit(Request(PERSISTENT_VOLUME_CLAIMS), a_claim(storageClassName=""), found)
    assert none["spec"]["storageClassName"] == ""
    assert "storageClassName" not in admit(Request(PERSISTENT_VOLUME_CLAIMS), a_claim())["spec"]


def test_an_ingress_gets_the_default_class_unless_an_annotation_names_one():
    found = marked(INGRESS_CLASSES, ("b", 1, "true"), ("a", 1, "true"))
    made = admit(Request(INGRESSES), {"metadata": {"name": "i", "namespace": "n"}}, found)
    assert made["spec"]["ingressClassName"] == "a"
    annotated = {"metadata": {"name": "i", "namespace": "n", "annotations": {"kubernetes.io/ingress.class": "x"}}}
    assert admit(Request(INGRESSES), annotated, found)["spec"] == {}


def test_a_claim_grows_only_when_its_class_allows_it():
    lookups = DictLookups()
    lookups.add(STORAGE_CLASSES, {"metadata": {"name": "grows"}, "allowVolumeExpansion": True})
    lookups.add(STORAGE_CLASSES, {"metadata": {"name": "stays"}})
    update = Request(PERSISTENT_VOLUME_CLAIMS, "UPDATE")
    admit(update, a_claim("2Gi", storageClassName="grows"), lookups, a_claim(storageClassName="grows"))
    admit(update, a_claim("1Gi", storageClassName="stays"), lookups, a_claim("2Gi", storageClassName="stays"))
    for name in ("stays", "absent", ""):
        with pytest.raises(ForbiddenError, match="only dynamically provisioned pvc can be resized and the storage"):
            admit(update, a_claim("2Gi", storageClassName=name), lookups, a_claim(storageClassName=name))
