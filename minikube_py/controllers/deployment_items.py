"""Which Deployments a change of a ReplicaSet or of a pod concerns.

Upstream: the event handlers of pkg/controller/deployment.
"""

from collections.abc import Sequence

from minikube_py.api.meta import ObjectKey, controller_of, key_of, labels_of, metadata
from minikube_py.api.object_selectors import compile_label_selector, selects
from minikube_py.api.resources import DEPLOYMENTS, REPLICA_SETS
from minikube_py.client.interface import Change
from minikube_py.controllers.deployment_scaling import is_recreate
from minikube_py.controllers.plan import Item, Listers
from minikube_py.controllers.pod_state import is_terminal


def items_of_replica_set(change: Change, listers: Listers) -> Sequence[Item]:
    """Return the Deployments that a change of a ReplicaSet concerns: its controllers, or who may adopt it."""
    items: list[Item] = []
    namespace = metadata(change.latest).get("namespace", "")
    for rs in (change.old, change.new):
        controller = controller_of(rs) if rs is not None else None
        if controller is not None and controller.get("kind") == DEPLOYMENTS.kind:
            items.append(Item(DEPLOYMENTS.qualified, ObjectKey(namespace, str(controller.get("name", "")))))
    if change.new is not None and controller_of(change.new) is None:
        for deployment in listers.list(DEPLOYMENTS, namespace):
            selector = compile_label_selector(deployment["spec"].get("selector"))
            if selects(selector, labels_of(change.new)):
                items.append(Item(DEPLOYMENTS.qualified, key_of(deployment)))
    return items


def items_of_pod(change: Change, listers: Listers) -> Sequence[Item]:
    """Return the Recreate Deployment that waits for this pod to be gone."""
    if change.new is not None and not is_terminal(change.new):
        return ()
    controller = controller_of(change.latest)
    if controller is None or controller.get("kind") != REPLICA_SETS.kind:
        return ()
    namespace = metadata(change.latest).get("namespace", "")
    replica_set = listers.get(REPLICA_SETS, ObjectKey(namespace, str(controller.get("name", ""))))
    owner = controller_of(replica_set) if replica_set is not None else None
    if owner is None or owner.get("kind") != DEPLOYMENTS.kind:
        return ()
    deployment = listers.get(DEPLOYMENTS, ObjectKey(namespace, str(owner.get("name", ""))))
    if deployment is None or not is_recreate(deployment):
        return ()
    return (Item(DEPLOYMENTS.qualified, key_of(deployment)),)
