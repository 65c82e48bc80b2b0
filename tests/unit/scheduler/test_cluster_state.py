"""What the caches show and what was assumed since."""

from minikube_py.api.meta import ObjectKey
from minikube_py.scheduler.cluster_state import ClusterState, binding_of
from minikube_py.scheduler.node_info import read_pod
from minikube_py.testing.workload_objects import a_node, a_pod


def state(*nodes: str) -> ClusterState:
    made = ClusterState()
    for name in nodes:
        made.put_node(a_node(name))
    return made


def pods_on(cluster: ClusterState) -> dict[str, list[str]]:
    return {node.name: [pod.key.name for pod in node.pods] for node in cluster.snapshot().nodes}


def test_an_assumed_pod_counts_until_the_cache_shows_it_bound() -> None:
    cluster = state("n1", "n2")
    waiting = a_pod(node="")
    cluster.assume(read_pod(waiting), "n1")
    cluster.put_pod(waiting)

    assert pods_on(cluster) == {"n1": ["p"], "n2": []}
    assert cluster.is_assumed("uid-p")
    cluster.put_pod(a_pod(node="n2"))
    assert pods_on(cluster) == {"n1": [], "n2": ["p"]}
    assert not cluster.is_assumed("uid-p")


def test_a_failed_binding_gives_the_room_back_but_not_what_the_cache_shows() -> None:
    cluster = state("n1")
    cluster.assume(read_pod(a_pod(node="")), "n1")
    cluster.unassume("uid-p")
    assert pods_on(cluster) == {"n1": []}

    cluster.put_pod(a_pod(node="n1"))
    cluster.unassume("uid-p")
    assert pods_on(cluster) == {"n1": ["p"]}


def test_ended_and_deleted_pods_take_no_room() -> None:
    cluster = state("n1")
    cluster.put_pod(a_pod("a"))
    cluster.put_pod(a_pod("b"))
    cluster.put_pod(a_pod("a", phase="Succeeded"))
    cluster.remove_pod("uid-b")

    assert pods_on(cluster) == {"n1": []}


def test_pods_are_counted_when_their_node_appears_later_and_again_when_it_returns() -> None:
    cluster = state()
    cluster.put_pod(a_pod())
    assert pods_on(cluster) == {}
    cluster.put_node(a_node("n1"))
    cluster.remove_node("n1")
    cluster.put_node(a_node("n1"))

    assert pods_on(cluster) == {"n1": ["p"]}


def test_a_snapshot_is_kept_as_it_is() -> None:
    cluster = state("n1")
    before = cluster.snapshot()
    cluster.put_pod(a_pod())

    assert before.nodes[0].pods == ()
    assert cluster.snapshot() is cluster.snapshot()


def test_a_bound_pod_is_counted_again_only_when_it_weighs_something_else() -> None:
    cluster = state("n1")
    cluster.put_pod(a_pod())
    before = cluster.snapshot()
    cluster.put_pod(a_pod(ready=False))
    assert cluster.snapshot() is before

    resized = {"containers": [{"name": "c", "image": "i:1", "resources": {"requests": {"cpu": "2"}}}]}
    for changed in (a_pod(labels={"other": "one"}), a_pod(deleting=True), a_pod(spec=resized)):
        before = cluster.snapshot()
        cluster.put_pod(changed)
        assert cluster.snapshot() is not before
    assert cluster.snapshot().nodes[0].used["cpu"] == 2000


def test_namespaces_bring_their_labels() -> None:
    cluster = state()
    cluster.put_namespace({"metadata": {"name": "a", "labels": {"x": "y"}}})
    cluster.put_namespace({"metadata": {"name": "b"}})
    cluster.remove_namespace("b")

    assert cluster.snapshot().namespace_labels == {"a": {"x": "y"}}


def test_a_binding_names_pod_and_node() -> None:
    assert binding_of(ObjectKey("default", "p"), "u", "n1") == {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": "p", "namespace": "default", "uid": "u"},
        "target": {"kind": "Node", "name": "n1"},
    }
