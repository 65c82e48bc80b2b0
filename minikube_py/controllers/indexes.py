"""The indexes that controllers put on informers; shared, so each is declared once."""

from collections.abc import Sequence

from minikube_py.api.meta import Obj, controller_of, metadata
from minikube_py.api.resource import Resource
from minikube_py.api.resources import PODS, REPLICA_SETS
from minikube_py.controllers.spec import Index

CONTROLLER_UID = "controllers/controller-uid"
"""uid of the owner that is the controller."""
OWNER_UID = "controllers/owner-uid"
"""uids of all owners."""
ORPHANS = "controllers/orphans"
"""Namespace of an object without a controller."""
NODE_NAME = "controllers/node-name"
"""spec.nodeName of a pod."""


def _controller_uid(obj: Obj) -> Sequence[str]:
    reference = controller_of(obj)
    return (str(reference.get("uid", "")),) if reference else ()


def _owner_uids(obj: Obj) -> Sequence[str]:
    return tuple(str(reference.get("uid", "")) for reference in metadata(obj).get("ownerReferences") or ())


def _node_name(obj: Obj) -> Sequence[str]:
    name = (obj.get("spec") or {}).get("nodeName", "")
    return (str(name),) if name else ()


def _orphan_namespace(obj: Obj) -> Sequence[str]:
    return () if controller_of(obj) else (str(metadata(obj).get("namespace", "")),)


def by_controller(resource: Resource) -> Index:
    """Return the index of `resource` by the uid of the controlling owner."""
    return Index(resource, CONTROLLER_UID, _controller_uid)


def by_owner(resource: Resource) -> Index:
    """Return the index of `resource` by the uids of all owners."""
    return Index(resource, OWNER_UID, _owner_uids)


PODS_BY_NODE = Index(PODS, NODE_NAME, _node_name)
ORPHANS_OF_PODS = Index(PODS, ORPHANS, _orphan_namespace)
ORPHANS_OF_REPLICA_SETS = Index(REPLICA_SETS, ORPHANS, _orphan_namespace)
