"""What a controller is: the type of the rows of `controllers.table`.

A controller watches resources, turns each change into items, observes what concerns an item into a view, and
reconciles the view into a plan. One loop (`io.controller_loop`) runs them all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from minikube_py.api.meta import Obj
from minikube_py.api.resource import Resource
from minikube_py.client.interface import Change
from minikube_py.controllers.plan import Failure, Item, Listers, Plan

View = TypeVar("View")


@dataclass(frozen=True, slots=True)
class Index:
    """An index that a controller needs on a resource; the same name means the same index everywhere."""

    resource: Resource
    name: str
    values: Callable[[Obj], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Watch:
    """Which items a change of a resource concerns; runs on every change, so it must be cheap."""

    resource: Resource
    items: Callable[[Change, Listers], Sequence[Item]]


@dataclass(frozen=True, slots=True)
class ControllerSpec(Generic[View]):
    """One controller."""

    name: str
    component: str
    """Upstream's name of it, as the source of Events."""
    watches: tuple[Watch, ...]
    observe: Callable[[Listers, Item, Failure | None], View | None]
    """Collect what concerns an item; None: nothing to do (it is gone)."""
    reconcile: Callable[[View, float], Plan]
    """Decide; the second argument is the wall clock in seconds."""
    indexes: tuple[Index, ...] = ()
    watch_custom: Callable[[Resource], Watch | None] | None = None
    """How it watches a custom resource, which may come and go at any time; None: it does not care for any."""
    index_custom: Callable[[Resource], Index] | None = None
    """The index that it needs on each custom resource that it watches."""
    workers_max: int = 5
    """Items worked on at once (upstream: --concurrent-*-syncs)."""
