"""What changed: from a list or a watch event to the Changes that an informer tells its subscribers.

Invariants:
  1. Applying the changes to the known state gives exactly the listed state.
  2. One uid is one life: an object that was deleted and made again under the same name is told as a deletion and an
     addition, also when the watch missed both (upstream's DeltaFIFO tells an update there, a known trap).
  3. A change that only repeats the known resource version is not told.

Upstream: client-go tools/cache DeltaFIFO.Replace and processDeltas.
"""

from collections.abc import Mapping, Sequence

from minikube_py.api.meta import Obj, ObjectKey, key_of, metadata
from minikube_py.client.interface import Change, WatchEvent


def compute_relist_changes(known: Mapping[ObjectKey, Obj], listed: Sequence[Obj]) -> tuple[Change, ...]:
    """Return what happened between the known state and a new list: deletions first, each part sorted by key."""
    present = {key_of(obj): obj for obj in listed}
    gone = tuple(Change(known[key], None) for key in sorted(known.keys() - present.keys()))
    changes = [change for key in sorted(present) for change in compute_object_changes(known.get(key), present[key])]
    return gone + tuple(changes)


def compute_event_changes(known: Obj | None, event: WatchEvent) -> tuple[Change, ...]:
    """Return what an ADDED, MODIFIED or DELETED event means to someone who knows `known` of that key."""
    if event.type != "DELETED":
        return compute_object_changes(known, event.object)
    if known is None:
        return ()
    return (Change(event.object, None),)


def compute_object_changes(known: Obj | None, new: Obj) -> tuple[Change, ...]:
    """Return the changes that lead from `known` (None: absent) to `new`, both of one key."""
    if known is None:
        return (Change(None, new),)
    before, after = metadata(known), metadata(new)
    if before.get("uid") != after.get("uid"):
        return (Change(known, None), Change(None, new))
    if before.get("resourceVersion") == after.get("resourceVersion"):
        return ()
    return (Change(known, new),)
