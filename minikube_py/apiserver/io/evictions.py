"""pods/eviction: ask the budgets, spend a disruption, delete the pod; again when somebody else was faster."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from minikube_py.api.errors import BadRequestError, ConflictError, TooManyRequestsError
from minikube_py.api.meta import Obj, name_of
from minikube_py.api.resources import DISRUPTION_BUDGETS
from minikube_py.apiserver.canonical import decode
from minikube_py.apiserver.decisions import Decision, WriteContext
from minikube_py.apiserver.deletion import check_preconditions, delete
from minikube_py.apiserver.eviction import (
    DeleteNow,
    Refuse,
    Spend,
    decide_eviction,
    mark_disrupted,
    spend_disruption,
)
from minikube_py.apiserver.io.storage import Storage
from minikube_py.apiserver.options import RemovalOptions, WriteOptions, parse_removal_options
from minikube_py.apiserver.routes import Route
from minikube_py.apiserver.verbs import update_status
from minikube_py.kit.clock import Clock

TRIES_MAX = 20
"""A budget that changes so often while one pod waits is answered with 429 (upstream: EvictionsRetry.Steps)."""
_OPTIONS = WriteOptions(field_manager="kube-apiserver")


class Evictions:
    """Evicts pods."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def evict(self, route: Route, eviction: Obj, query: Mapping[str, str]) -> None:
        """Evict the pod that the route names.

        Raises:
            StatusError: it is not there, or a budget stands in the way.
        """
        if name_of(eviction) not in ("", route.name):
            raise BadRequestError("name in URL does not match name in Eviction object")
        given = eviction.get("deleteOptions")
        options = parse_removal_options(query, {"kind": "DeleteOptions", **given} if given else None)
        options = replace(options, dry_run=options.dry_run or "dryRun" in query)
        for _ in range(TRIES_MAX):
            pod = decode(self._storage.get(route))
            if (failed := check_preconditions(route.resource, pod, options)) is not None:
                raise failed
            verdict = decide_eviction(pod, self._budgets(route.namespace))
            match verdict:
                case Refuse(error):
                    raise error
                case Spend(budget):
                    if options.dry_run or await self._spend(budget, route):
                        return await self._delete(route, options)
                case DeleteNow(if_unchanged):
                    version = str(pod["metadata"]["resourceVersion"]) if if_unchanged else ""
                    if await self._delete_unchanged(route, options, version):
                        return None
        raise TooManyRequestsError("too many evictions of pods of one budget at once", retry_after_s=1)

    def _budgets(self, namespace: str) -> list[Obj]:
        store = self._storage.store_of(DISRUPTION_BUDGETS)
        return [decode(entry) for entry in store.range(f"{DISRUPTION_BUDGETS.storage_prefix}{namespace}/")]

    async def _spend(self, budget: Mapping[str, Any], route: Route) -> bool:
        """Use up a disruption; False when the budget is another one by now."""
        spent = spend_disruption(budget, route.name, self._clock.wall_s())
        target = Route(DISRUPTION_BUDGETS, "update", route.namespace, name_of(budget), "status")

        def decide(old: Mapping[str, Any], context: WriteContext) -> Decision:
            return update_status(DISRUPTION_BUDGETS, old, spent, context)

        try:
            await self._storage.change(target, _OPTIONS, decide)
        except ConflictError:
            return False
        return True

    async def _delete_unchanged(self, route: Route, options: RemovalOptions, version: str) -> bool:
        """Delete the pod in this version (empty: in any); False when it is another one by now."""
        if not version or options.resource_version:
            await self._delete(route, options)
            return True
        try:
            await self._delete(route, replace(options, resource_version=version))
        except ConflictError:
            return False
        return True

    async def _delete(self, route: Route, options: RemovalOptions) -> None:
        def decide(old: Mapping[str, Any], wall_s: float) -> Decision:
            return mark_disrupted(delete(route.resource, old, options, wall_s), wall_s)

        await self._storage.remove(route, decide, dry_run=options.dry_run)
