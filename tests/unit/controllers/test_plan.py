"""Items and references."""

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import DEPLOYMENTS, NODES, PODS
from minikube_py.client.interface import Change
from minikube_py.controllers.plan import Item, latest_item, owner_reference
from minikube_py.testing.workload_objects import a_node, a_pod


def test_an_item_names_the_object_that_changed_or_is_gone() -> None:
    assert latest_item(PODS, Change(None, a_pod())) == Item("pods", ObjectKey("default", "p"))
    assert latest_item(NODES, Change(a_node(), None)) == Item("nodes", ObjectKey("", "n1"))
    assert str(latest_item(PODS, Change(None, a_pod()))) == "pods default/p"


def test_an_owner_reference_blocks_and_controls() -> None:
    assert owner_reference(DEPLOYMENTS, {"metadata": {"name": "web", "uid": "u"}}) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "web",
        "uid": "u",
        "controller": True,
        "blockOwnerDeletion": True,
    }
