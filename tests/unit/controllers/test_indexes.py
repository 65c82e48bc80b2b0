"""Under which values objects are found."""

from minikube_py.api.resources import PODS
from minikube_py.controllers.indexes import ORPHANS_OF_PODS, PODS_BY_NODE, by_controller, by_owner
from minikube_py.testing.workload_objects import a_pod, an_owner


def test_owned_objects_are_found_by_their_owners_and_orphans_by_their_namespace() -> None:
    further = {"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": "uid-c"}
    owned = a_pod(owner=an_owner("ReplicaSet", "rs", "uid-rs"))
    owned["metadata"]["ownerReferences"].append(further)

    assert by_controller(PODS).values(owned) == ("uid-rs",)
    assert by_owner(PODS).values(owned) == ("uid-rs", "uid-c")
    assert ORPHANS_OF_PODS.values(owned) == ()
    assert ORPHANS_OF_PODS.values(a_pod()) == ("default",)
    assert by_controller(PODS).values(a_pod()) == ()


def test_pods_are_found_by_their_node() -> None:
    assert PODS_BY_NODE.values(a_pod(node="n1")) == ("n1",)
    assert PODS_BY_NODE.values(a_pod(node="")) == ()
