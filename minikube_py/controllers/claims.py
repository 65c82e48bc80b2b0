"""Which objects belong to an owner: adopt what matches and has no controller, release what no longer matches.

Upstream: pkg/controller/controller_ref_manager. Adoption is guarded: the owner is read afresh first, so that an owner
that is being deleted, or another of the same name, never takes over anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from minikube_py.api.meta import Obj, controller_of, is_deleting, key_of, labels_of, metadata, uid_of
from minikube_py.api.object_selectors import selects
from minikube_py.api.resource import Resource
from minikube_py.api.selectors import LabelSelector
from minikube_py.client.interface import STRATEGIC
from minikube_py.controllers.plan import Action, Patch, Require, Target, owner_reference


@dataclass(frozen=True, slots=True)
class Claimed:
    """`kept`: owned and matching; `actions`: what changes ownership (the cache shows the result, then look again)."""

    kept: tuple[Obj, ...]
    actions: tuple[Action, ...]


def claim(
    owner_resource: Resource,
    owner: Obj,
    selector: LabelSelector | None,
    resource: Resource,
    candidates: Iterable[Obj],
) -> Claimed:
    """Sort the candidates (owned ones, and ones without a controller) by whether they belong to `owner`."""
    kept: list[Obj] = []
    actions: list[Action] = []
    adopted: list[Action] = []
    for candidate in candidates:
        controller = controller_of(candidate)
        matches = selects(selector, labels_of(candidate))
        if controller is not None:
            if controller.get("uid") != uid_of(owner):
                continue
            if matches:
                kept.append(candidate)
            elif not is_deleting(owner):
                actions.append(release(resource, candidate, uid_of(owner)))
        elif matches and not is_deleting(owner) and not is_deleting(candidate):
            adopted.append(_adopt(owner_resource, owner, resource, candidate))
    if adopted:
        actions += [Require(owner_resource, Target(key_of(owner), uid_of(owner))), *adopted]
    return Claimed(tuple(kept), tuple(actions))


def release(resource: Resource, dependent: Obj, owner_uid: str) -> Patch:
    """Return the patch that removes one owner from a dependent."""
    references = [r for r in metadata(dependent).get("ownerReferences") or () if r.get("uid") != owner_uid]
    meta: Obj = {"uid": uid_of(dependent), "resourceVersion": metadata(dependent).get("resourceVersion", "")}
    meta["ownerReferences"] = references or None
    return Patch(resource, key_of(dependent), {"metadata": meta}, uid=uid_of(dependent))


def _adopt(owner_resource: Resource, owner: Obj, resource: Resource, orphan: Obj) -> Patch:
    """Strategic merge adds to the list by uid and so never drops a reference that someone else just set."""
    reference = owner_reference(owner_resource, owner)
    patch = {"metadata": {"uid": uid_of(orphan), "ownerReferences": [reference]}}
    return Patch(resource, key_of(orphan), patch, uid=uid_of(orphan), patch_type=STRATEGIC)
