import pytest

from minikube_py.api.errors import ForbiddenError, NotFoundError
from minikube_py.api.resources import (
    CONFIGMAPS,
    NAMESPACES,
    NODES,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
)
from minikube_py.testing.built_in_admission import DictLookups, Request, admit


class NoNamespaces(DictLookups):
    def get(self, resource, namespace, name):
        return self.objects.get(resource.storage_key(namespace, name))


def a_map():
    return {"metadata": {"name": "m", "namespace": "n"}}


def test_nothing_is_created_in_a_namespace_that_is_missing_or_going():
    lookups = NoNamespaces()
    with pytest.raises(NotFoundError, match='namespaces "n" not found'):
        admit(Request(CONFIGMAPS), a_map(), lookups)
    lookups.add(NAMESPACES, {"metadata": {"name": "n", "deletionTimestamp": "2026-01-01T00:00:00Z"}})
    with pytest.raises(ForbiddenError, match="unable to create new content in namespace n because it is being") as e:
        admit(Request(CONFIGMAPS), a_map(), lookups)
    assert e.value.details["causes"][0]["reason"] == "NamespaceTerminating"
    assert admit(Request(CONFIGMAPS, "UPDATE"), a_map(), lookups) == a_map()
    with pytest.raises(ForbiddenError, match="being terminated"):
        admit(Request(PODS, "CREATE", "eviction"), a_map(), lookups)


def test_some_namespaces_are_immortal():
    with pytest.raises(ForbiddenError, match='namespaces "default" is forbidden: this namespace may not be deleted'):
        admit(Request(NAMESPACES, "DELETE"), {}, old={"metadata": {"name": "default"}})
    admit(Request(NAMESPACES, "DELETE"), {}, old={"metadata": {"name": "mine"}})


def test_a_new_node_takes_no_pods_yet():
    taint = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
    made = admit(
        Request(NODES), {"metadata": {"name": "n"}, "spec": {"taints": [{"key": "a", "effect": "NoExecute"}]}}
    )
    assert made["spec"]["taints"] == [{"key": "a", "effect": "NoExecute"}, taint]
    assert admit(Request(NODES), made)["spec"]["taints"] == made["spec"]["taints"]


@pytest.mark.parametrize(
    ("resource", "finalizer"),
    [(PERSISTENT_VOLUME_CLAIMS, "kubernetes.io/pvc-protection"), (PERSISTENT_VOLUMES, "kubernetes.io/pv-protection")],
)
def test_volumes_and_claims_are_protected_from_the_start(resource, finalizer):
    made = admit(Request(resource), {"metadata": {"name": "v", "namespace": "n", "finalizers": ["a/b"]}})
    assert made["metadata"]["finalizers"] == ["a/b", finalizer]
    assert admit(Request(resource), made)["metadata"]["finalizers"] == ["a/b", finalizer]


def test_a_binding_tells_the_pod_where_its_node_stands():
    lookups = DictLookups()
    labels = {"topology.kubernetes.io/zone": "z", "topology.kubernetes.io/region": "r", "other": "x"}
    lookups.add(NODES, {"metadata": {"name": "n1", "labels": labels}})
    binding = {"metadata": {"name": "p", "namespace": "n"}, "target": {"kind": "Node", "name": "n1"}}
    made = admit(Request(PODS, "CREATE", "binding"), binding, lookups)
    assert made["metadata"]["labels"] == {"topology.kubernetes.io/zone": "z", "topology.kubernetes.io/region": "r"}
    placed = {"metadata": {"name": "p", "namespace": "n", "labels": {"topology.kubernetes.io/zone": "own"}}}
    made = admit(Request(PODS), placed | {"spec": {"nodeName": "n1"}}, lookups)
    assert made["metadata"]["labels"]["topology.kubernetes.io/zone"] == "own"
