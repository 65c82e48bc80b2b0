"""Which Deployments a change below them concerns."""

from minikube_py.api.resources import DEPLOYMENTS, REPLICA_SETS
from minikube_py.client.interface import Change
from minikube_py.controllers.deployment_items import items_of_pod, items_of_replica_set
from minikube_py.controllers.plan import Listers
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.fake_informers import FakeInformers
from minikube_py.testing.manual_clock import ManualClock
from minikube_py.testing.workload_cluster import a_deployment
from minikube_py.testing.workload_objects import a_pod, a_replica_set, an_owner

MINE = an_owner("Deployment", "web", "uid-web")
POD = a_pod(owner=an_owner("ReplicaSet", "rs", "uid-rs"))


def listers(**spec) -> Listers:
    """Return a cache with one Deployment and its ReplicaSet."""
    client = FakeClient(ManualClock())
    client.seed(DEPLOYMENTS, a_deployment(**spec))
    client.seed(REPLICA_SETS, a_replica_set("rs", owner=MINE))
    informers = FakeInformers(client)
    return Listers({r.qualified: informers.informer(r) for r in (DEPLOYMENTS, REPLICA_SETS)})


def names(items) -> list[str]:
    return [item.key.name for item in items]


def test_a_replica_set_concerns_its_controllers_before_and_after() -> None:
    other = an_owner("Deployment", "other", "uid-other")
    change = Change(a_replica_set("rs", owner=other), a_replica_set("rs", owner=MINE))

    assert names(items_of_replica_set(change, listers())) == ["other", "web"]


def test_a_replica_set_without_controller_concerns_who_may_adopt_it() -> None:
    stranger = a_replica_set("stranger")
    stranger["metadata"]["labels"] = {"app": "other"}

    assert names(items_of_replica_set(Change(None, a_replica_set("orphan")), listers())) == ["web"]
    assert names(items_of_replica_set(Change(None, stranger), listers())) == []


def test_only_a_recreate_deployment_waits_for_its_pods_to_be_gone() -> None:
    recreate = listers(strategy={"type": "Recreate"})

    assert names(items_of_pod(Change(POD, None), recreate)) == ["web"]
    assert names(items_of_pod(Change(None, POD), recreate)) == []
    assert names(items_of_pod(Change(POD, None), listers())) == []
    assert names(items_of_pod(Change(a_pod(), None), recreate)) == []
