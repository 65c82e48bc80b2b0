"""What the scheduler believes about nodes and pods: what the caches show, and what it has decided itself since.

A pod that was just given to a node is *assumed* there until the cache shows it bound, so that the next decision
counts it. The caches win in the end: what they show replaces what was assumed. Upstream: scheduler internal cache.

Only nodes whose pods changed are counted again, so a decision costs the same however the pods came about.
"""

from minikube_py.api.meta import Obj, ObjectKey, controller_of, is_deleting, labels_of, name_of, uid_of
from minikube_py.scheduler.node_info import NodeInfo, PodInfo, read_node, read_pod, with_pods
from minikube_py.scheduler.snapshot import Snapshot


def is_terminal(pod: Obj) -> bool:
    """Return whether the pod has ended and takes no room any more."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def node_of(pod: Obj) -> str:
    """Return the node that the pod is bound to, empty when it is not."""
    return str((pod.get("spec") or {}).get("nodeName") or "")


class ClusterState:
    """Nodes, pods on them, namespaces' labels; bounded by the objects that exist."""

    def __init__(self) -> None:
        self._nodes: dict[str, NodeInfo] = {}
        self._pods: dict[str, dict[str, PodInfo]] = {}
        """Node name -> pod uid -> pod; nodes that are not there (yet) included."""
        self._placed: dict[str, str] = {}
        """Pod uid -> node name."""
        self._assumed: set[str] = set()
        self._namespaces: dict[str, dict[str, str]] = {}
        self._snapshot: Snapshot | None = None

    def put_node(self, node: Obj) -> None:
        """Take over a node as it is now."""
        name = name_of(node)
        self._nodes[name] = read_node(node, self._pods_on(name))
        self._snapshot = None

    def remove_node(self, name: str) -> None:
        """Forget a node; its pods are counted again should it come back."""
        self._nodes.pop(name, None)
        self._snapshot = None

    def put_namespace(self, namespace: Obj) -> None:
        """Take over a namespace's labels."""
        self._namespaces[name_of(namespace)] = dict(labels_of(namespace))
        self._snapshot = None

    def remove_namespace(self, name: str) -> None:
        """Forget a namespace."""
        self._namespaces.pop(name, None)
        self._snapshot = None

    def put_pod(self, pod: Obj) -> None:
        """Take over a pod as the cache shows it."""
        uid, node_name = uid_of(pod), node_of(pod)
        if is_terminal(pod):
            self.remove_pod(uid)
        elif node_name:
            self._assumed.discard(uid)
            known = self._pods.get(node_name, {}).get(uid)
            # Most changes of a bound pod are of its status, which counts for nothing here.
            if known is None or not _counts_alike(known.obj, pod):
                self._place(read_pod(pod), node_name)
        elif uid not in self._assumed:
            self.remove_pod(uid)

    def remove_pod(self, uid: str) -> None:
        """Forget a pod."""
        self._assumed.discard(uid)
        node_name = self._placed.pop(uid, None)
        if node_name is not None:
            self._pods[node_name].pop(uid, None)
            if not self._pods[node_name]:
                del self._pods[node_name]
            self._recount(node_name)

    def assume(self, pod: PodInfo, node_name: str) -> None:
        """Count the pod on that node from now on."""
        self._assumed.add(pod.uid)
        self._place(pod, node_name)

    def unassume(self, uid: str) -> None:
        """Take an assumption back: the binding failed. What the cache has shown meanwhile stays."""
        if uid in self._assumed:
            self.remove_pod(uid)

    def is_assumed(self, uid: str) -> bool:
        """Return whether the pod was given to a node and the cache does not show it yet."""
        return uid in self._assumed

    def snapshot(self) -> Snapshot:
        """Return the cluster as it is now, nodes sorted by name."""
        if self._snapshot is None:
            nodes = tuple(self._nodes[name] for name in sorted(self._nodes))
            self._snapshot = Snapshot(nodes, dict(self._namespaces))
        return self._snapshot

    def _place(self, pod: PodInfo, node_name: str) -> None:
        before = self._placed.get(pod.uid)
        if before is not None and before != node_name:
            self._pods[before].pop(pod.uid, None)
            self._recount(before)
        self._placed[pod.uid] = node_name
        self._pods.setdefault(node_name, {})[pod.uid] = pod
        self._recount(node_name)

    def _pods_on(self, node_name: str) -> tuple[PodInfo, ...]:
        return tuple(self._pods.get(node_name, {}).values())

    def _recount(self, node_name: str) -> None:
        node = self._nodes.get(node_name)
        if node is not None:
            self._nodes[node_name] = with_pods(node, self._pods_on(node_name))
            self._snapshot = None


def _counts_alike(known: Obj, pod: Obj) -> bool:
    """Return whether a pod on a node weighs there what it did."""
    return (
        known.get("spec") == pod.get("spec")
        and labels_of(known) == labels_of(pod)
        and is_deleting(known) == is_deleting(pod)
        and controller_of(known) == controller_of(pod)
    )


def binding_of(key: ObjectKey, uid: str, node_name: str) -> Obj:
    """Return the Binding that gives a pod to a node."""
    return {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": key.name, "namespace": key.namespace, "uid": uid},
        "target": {"kind": "Node", "name": node_name},
    }
