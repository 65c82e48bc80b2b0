"""What a verb decides: the values that `io/storage` acts upon, and what every decision is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from minikube_py.api.errors import StatusError, invalid
from minikube_py.api.meta import Obj, name_of
from minikube_py.api.resource import Fields, Resource
from minikube_py.apiserver.options import WriteOptions


@dataclass(frozen=True, slots=True)
class Write:
    """Store this object (without resourceVersion; the store stamps it)."""

    obj: Obj


@dataclass(frozen=True, slots=True)
class Remove:
    """Take the object out of the store; `obj` is its last state, for the answer."""

    obj: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NoChange:
    """Nothing to store: what is there already is what was asked for; its resourceVersion stays."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Refuse the request."""

    error: StatusError


Decision: TypeAlias = Write | Remove | NoChange | Reject
NO_CHANGE = NoChange()


Complete: TypeAlias = Callable[[Obj, Mapping[str, Any] | None], Fields]
"""(new, old or None) -> faults: gives an object what only the server can give (cluster IPs), in place."""


def complete_nothing(new: Obj, old: Mapping[str, Any] | None) -> Fields:
    """Give nothing: most resources need nothing."""
    del new, old
    return ()


@dataclass(frozen=True, slots=True)
class WriteContext:
    """What a write knows besides the objects: where the URL points, the time, a fresh uid, the options."""

    namespace: str
    name: str
    wall_s: float
    uid: str
    options: WriteOptions
    subresource: str = ""
    complete: Complete = complete_nothing


def reject_invalid(resource: Resource, obj: Mapping[str, Any], faults: Fields) -> Reject:
    """Return a 422 with these faults."""
    return Reject(invalid(resource.group, resource.kind, name_of(obj), faults))
