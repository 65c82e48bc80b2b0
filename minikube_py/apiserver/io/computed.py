"""Requests to resources that store nothing: bindings, reviews, component statuses, metrics."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from minikube_py.api.decode import expected_of
from minikube_py.api.errors import not_found
from minikube_py.api.meta import Obj, name_of
from minikube_py.api.resources import PODS
from minikube_py.apiserver.component_statuses import component_status, component_statuses
from minikube_py.apiserver.health import Check
from minikube_py.apiserver.io.answers import Answer, object_answer
from minikube_py.apiserver.io.bodies import decode_body
from minikube_py.apiserver.io.byte_turns import reading_for
from minikube_py.apiserver.io.heavy_work import HeavyWork
from minikube_py.apiserver.io.writes import Writes
from minikube_py.apiserver.list_options import parse_list_options
from minikube_py.apiserver.negotiate import choose_form
from minikube_py.apiserver.options import parse_write_options
from minikube_py.apiserver.render import ListMeta, transform_list, transform_object
from minikube_py.apiserver.reviews import ANSWERS, Asked, Judges
from minikube_py.apiserver.routes import Route
from minikube_py.apiserver.weight import is_heavy
from minikube_py.client.wire import ApiRequest
from minikube_py.kit.clock import Clock


class ComputedSource(Protocol):
    """Makes the objects of one resource when they are read."""

    def get(self, namespace: str, name: str, wall_s: float) -> Obj | None:
        """Return an object, None when there is none."""
        ...

    def list(self, namespace: str, wall_s: float) -> Sequence[Obj]:
        """Return all objects (of a namespace, when one is given), in order."""
        ...


class ComponentStatuses:
    """The readiness checks as objects (ComputedSource)."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks

    def get(self, namespace: str, name: str, wall_s: float) -> Obj | None:
        """Return one component's status."""
        check = self._checks.get(name)
        return None if check is None else component_status(name, check)

    def list(self, namespace: str, wall_s: float) -> Sequence[Obj]:
        """Return the status of every component."""
        return component_statuses(self._checks)


class Computed:
    """Answers requests whose answers are made for them."""

    def __init__(
        self,
        writes: Writes,
        judges: Judges,
        sources: Mapping[str, ComputedSource],
        clock: Clock,
        revision: Callable[[], int],
        heavy_work: HeavyWork,
    ) -> None:
        """`sources` are by qualified resource (`pods.metrics.k8s.io`)."""
        self._writes = writes
        self._judges = judges
        self._sources = sources
        self._clock = clock
        self._revision = revision
        self._heavy_work = heavy_work
        self._by_verb: Mapping[str, Callable[[Route, ApiRequest], Awaitable[Answer]]] = {
            "create": self._create,
            "get": self._get,
            "list": self._list,
        }

    async def answer(self, route: Route, request: ApiRequest) -> Answer:
        """Answer a request.

        Raises:
            StatusError: it cannot be answered.
        """
        return await self._by_verb[route.verb](route, request)

    async def _create(self, route: Route, request: ApiRequest) -> Answer:
        answer = ANSWERS.get(route.resource.qualified)
        content_type = request.headers.get("content-type", "")
        options = parse_write_options("create", request.query, request.headers.get("user-agent", ""))
        expected = expected_of(route.resource)
        work = partial(decode_body, request.body, content_type, expected, options.field_validation)
        with reading_for(route.user.name):
            decoded = await self._heavy_work.run_if(is_heavy(request.body, content_type), work)
        if answer is None:  # the collection of bindings: the body names the pod
            pod = Route(PODS, "create", route.namespace, name_of(decoded.obj), "binding", user=route.user)
            return await self._writes.create(pod, request)
        asked = Asked(route.user, route.namespace, self._clock.wall_s())
        form = choose_form(request.headers.get("accept", ""), request.query)
        review = answer(decoded.obj, asked, self._judges)
        return object_answer(review, form, status=201, warnings=decoded.warnings)

    async def _get(self, route: Route, request: ApiRequest) -> Answer:
        source, wall_s = self._sources[route.resource.qualified], self._clock.wall_s()
        obj = source.get(route.namespace, route.name, wall_s)
        if obj is None:
            raise not_found(route.resource.group, route.resource.plural, route.name)
        form = choose_form(request.headers.get("accept", ""), request.query)
        return object_answer(transform_object(route.resource, obj, form, wall_s), form)

    async def _list(self, route: Route, request: ApiRequest) -> Answer:
        source, wall_s = self._sources[route.resource.qualified], self._clock.wall_s()
        form = choose_form(request.headers.get("accept", ""), request.query)
        filter_ = parse_list_options(route, request.query).filter
        objs = [obj for obj in source.list(route.namespace, wall_s) if filter_.matches(route.resource, obj)]
        meta = ListMeta(self._revision())
        return object_answer(transform_list(route.resource, objs, meta, form, wall_s), form)
