"""Everything that is not an object: discovery, OpenAPI, version, health, metrics, the index of paths."""

import asyncio
import hashlib
import logging
import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import orjson

from minikube_py.api.catalog import Catalog
from minikube_py.api.errors import MethodNotSupportedError, NotAcceptableError
from minikube_py.api.meta import Obj
from minikube_py.api.served import GIT_VERSION, SERVED_MAJOR, SERVED_MINOR
from minikube_py.apiserver import openapi_v2
from minikube_py.apiserver.api_services import NO_SERVICES, Registry
from minikube_py.apiserver.discovery import (
    AGGREGATED_CONTENT_TYPE,
    api_resource_list,
    api_versions,
    choose_discovery,
)
from minikube_py.apiserver.health import Check, HealthAnswer, answer_check, answer_health
from minikube_py.apiserver.io.answers import JSON_HEADERS, PartsResponse, object_answer, parts_answer, text_answer
from minikube_py.apiserver.io.heavy_work import HeavyWork
from minikube_py.apiserver.merged_discovery import (
    RemoteVersions,
    merged_discovery,
    merged_group,
    merged_group_list,
    merged_groups,
)
from minikube_py.apiserver.merged_openapi import NOTHING_ELSE, OtherSpecs
from minikube_py.apiserver.negotiate import PLAIN, AnswerForm, choose_form
from minikube_py.apiserver.openapi import building_steps, openapi_v3, openapi_v3_index
from minikube_py.apiserver.render import TextBody
from minikube_py.apiserver.routes import RequestInfo, unknown_resource
from minikube_py.client.wire import ApiRequest, ApiResponse

log = logging.getLogger("apiserver")

HEALTH_ENDPOINTS = ("healthz", "livez", "readyz")
_METRICS_HEADERS = {"content-type": "text/plain; version=0.0.4; charset=utf-8"}
_IMMUTABLE = "public, immutable, max-age=31536000"


def version_info() -> Obj:
    """Return /version (upstream: version.Info); kubectl chooses its behaviour by the minor version."""
    return {
        "major": SERVED_MAJOR,
        "minor": SERVED_MINOR,
        "emulationMajor": SERVED_MAJOR,
        "emulationMinor": SERVED_MINOR,
        "minCompatibilityMajor": SERVED_MAJOR,
        "minCompatibilityMinor": str(int(SERVED_MINOR) - 1),
        "gitVersion": GIT_VERSION,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": f"python{platform.python_version()}",
        "compiler": platform.python_implementation().lower(),
        "platform": f"linux/{ {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(platform.machine(), platform.machine()) }",
    }


@dataclass(frozen=True, slots=True)
class Others:
    """What other servers have at one moment."""

    registry: Registry
    versions: RemoteVersions
    v3_paths: Mapping[str, str]
    specs: OtherSpecs


NO_OTHERS = Others(NO_SERVICES, {}, {}, NOTHING_ELSE)


class Documents:
    """Answers the paths that lead to no object."""

    def __init__(
        self,
        address: str,
        metrics_text: Callable[[], Iterator[bytes]],
        catalog: Callable[[], Catalog],
        heavy_work: HeavyWork,
        others: Callable[[], Others] = lambda: NO_OTHERS,
    ) -> None:
        self._heavy_work = heavy_work
        self._address = address
        self._others = others
        self._catalog = catalog
        self._metrics_text = metrics_text
        self._bodies: dict[str, bytes] = {}
        """Aggregated discovery of the catalog that is served now."""
        self._bodies_of: tuple[object, ...] = ()
        self._built_for: Catalog | None = None
        """The catalog whose OpenAPI documents are built."""
        self._failing: dict[str, tuple[str, ...]] = {}
        self.checks: dict[str, dict[str, Check]] = {name: {"ping": lambda: ""} for name in HEALTH_ENDPOINTS}
        """The checks of each health endpoint."""

    async def answer(self, info: RequestInfo, request: ApiRequest) -> ApiResponse | PartsResponse:
        """Answer a request.

        Raises:
            StatusError: no such path, method or form.
        """
        if info.verb not in ("get", "head"):
            raise MethodNotSupportedError("the server does not allow this method on the requested resource")
        parts = [part for part in info.path.split("/") if part]
        match parts:
            case ["version"]:
                return object_answer(version_info(), _form(request))
            case ["metrics"]:
                return await self._metrics()
            case [endpoint, *rest] if endpoint in HEALTH_ENDPOINTS:
                return self._health(endpoint, "/".join(rest), request)
            case ["api" | "apis", *_]:
                return self._discovery(parts, request)
            case ["openapi", version, *rest]:
                return await self._openapi(version, rest, request)
            case _:
                return object_answer({"paths": self._paths()}, status=404 if parts else 200)

    async def _metrics(self) -> ApiResponse | PartsResponse:
        pieces = []
        for piece in self._metrics_text():
            pieces.append(piece)
            await asyncio.sleep(0)
        return parts_answer(TextBody(pieces), _METRICS_HEADERS)

    def _not_found(self) -> ApiResponse:
        """Upstream answers unknown paths with the index of paths and 404."""
        return object_answer({"paths": self._paths()}, status=404)

    def _paths(self) -> list[str]:
        paths = [
            "/api",
            "/api/v1",
            "/apis",
            "/apis/",
            "/metrics",
            "/openapi/v2",
            "/openapi/v3",
            "/openapi/v3/",
            "/version",
        ]
        for group, versions in merged_groups(self._catalog(), self._others().registry):
            if group:
                paths.append(f"/apis/{group}")
                paths.extend(f"/apis/{group}/{version}" for version in versions)
        for endpoint, checks in self.checks.items():
            paths.append(f"/{endpoint}")
            paths.extend(f"/{endpoint}/{name}" for name in checks)
        return sorted(paths)

    def _health(self, endpoint: str, check: str, request: ApiRequest) -> ApiResponse:
        checks = self.checks[endpoint]
        if check:
            if check not in checks:
                return self._not_found()
            answer = answer_check(check, checks[check])
        else:
            excluded = [name for name in request.query.get("exclude", "").split(",") if name]
            answer = answer_health(endpoint, checks, verbose="verbose" in request.query, exclude=excluded)
        self._log_health(endpoint, answer)
        return text_answer(answer.text, answer.status)

    def _log_health(self, endpoint: str, answer: HealthAnswer) -> None:
        """Log what fails when it begins to fail or changes, not at every probe."""
        if answer.failures != self._failing.get(endpoint, ()):
            self._failing[endpoint] = answer.failures
            if answer.failures:
                log.warning("%s check failed: %s", endpoint, "; ".join(answer.failures))

    def _discovery(self, parts: list[str], request: ApiRequest) -> ApiResponse:
        accept = request.headers.get("accept", "")
        is_core, catalog, others = parts[0] == "api", self._catalog(), self._others()
        if len(parts) == 1:
            if choose_discovery(accept) == "aggregated":
                make = partial(merged_discovery, catalog, others.registry, others.versions, core=is_core)
                body = self._kept(f"aggregated/{parts[0]}", make)
                return _with_etag(body, request, {"content-type": AGGREGATED_CONTENT_TYPE, "vary": "Accept"})
            document: Obj | None = (
                api_versions(self._address, catalog) if is_core else merged_group_list(catalog, others.registry)
            )
        elif is_core:
            document = api_resource_list("", parts[1], catalog) if len(parts) == 2 else None
        elif len(parts) == 2:
            document = merged_group(parts[1], catalog, others.registry)
        else:
            document = api_resource_list(parts[1], parts[2], catalog) if len(parts) == 3 else None
        if document is None:
            raise unknown_resource()
        answer = object_answer(document, _form(request))
        return ApiResponse(answer.status, answer.body, {**answer.headers, "vary": "Accept"})

    def _kept(self, name: str, make: Callable[[], Obj]) -> bytes:
        others = self._others()
        state = (self._catalog(), others.registry, others.versions)
        if len(state) != len(self._bodies_of) or any(a is not b for a, b in zip(state, self._bodies_of, strict=True)):
            self._bodies, self._bodies_of = {}, state
        body = self._bodies.get(name)
        if body is None:
            body = self._bodies[name] = orjson.dumps(make())
        return body

    async def _openapi(self, version: str, rest: list[str], request: ApiRequest) -> ApiResponse:
        catalog = self._catalog()
        if self._built_for is not catalog:
            await self._heavy_work.run(partial(_build, catalog))
            self._built_for = catalog
        if version == "v2" and not rest:
            return await self._openapi_v2(request, catalog)
        if version != "v3":
            return self._not_found()
        if not rest:
            return ApiResponse(200, openapi_v3_index(catalog, self._others().v3_paths), JSON_HEADERS)
        group, served = ("", rest[1:]) if rest[0] == "api" else ("/".join(rest[1:2]), rest[2:])
        document = openapi_v3(group, served[0], catalog) if rest[0] in ("api", "apis") and len(served) == 1 else None
        if document is None:
            return self._not_found()
        asked = request.query.get("hash", "")
        headers = dict(JSON_HEADERS) | {"etag": f'"{document.hash}"', "vary": "Accept"}
        if asked and asked != document.hash:
            return ApiResponse(301, b"", {"location": f"{request.path}?hash={document.hash}"})
        if asked:
            headers["cache-control"] = _IMMUTABLE
        return _unless_known(document.body, request, headers)

    async def _openapi_v2(self, request: ApiRequest, catalog: Catalog) -> ApiResponse:
        specs = self._others().specs
        if specs is not NOTHING_ELSE:
            # Other servers' definitions may be many: they are put in while other work goes on.
            await self._heavy_work.run(partial(openapi_v2.openapi_v2_etag, catalog, specs))
        accept = request.headers.get("accept", "") or "*/*"
        headers = {"etag": openapi_v2.openapi_v2_etag(catalog, specs), "vary": "Accept"}
        for media_range in accept.split(","):
            media = media_range.split(";")[0].strip()
            if media == openapi_v2.PROTOBUF_MEDIA_TYPE:
                headers["content-type"] = "application/octet-stream"
                return _unless_known(openapi_v2.openapi_v2_protobuf(catalog, specs), request, headers)
            if media in ("application/json", "application/*", "*/*"):
                headers["content-type"] = "application/json"
                return _unless_known(openapi_v2.openapi_v2_json(catalog, specs), request, headers)
        accepted = f"application/json, {openapi_v2.PROTOBUF_MEDIA_TYPE}"
        raise NotAcceptableError(f"only the following media types are accepted: {accepted}")


def _build(catalog: Catalog) -> None:
    """Build every document of a catalog; they are kept where they are looked up."""
    for step in building_steps(catalog):
        log.debug("built the OpenAPI document of %s", step)


def _form(request: ApiRequest) -> AnswerForm:
    accept = request.headers.get("accept", "")
    form = choose_form(accept, request.query)
    return PLAIN if form.transform else form


def _with_etag(body: bytes, request: ApiRequest, headers: Mapping[str, str]) -> ApiResponse:
    tag = f'"{hashlib.sha256(body).hexdigest()[:40].upper()}"'
    return _unless_known(body, request, {**headers, "etag": tag})


def _unless_known(body: bytes, request: ApiRequest, headers: Mapping[str, str]) -> ApiResponse:
    """Return 304 when the client has this document already."""
    known = request.headers.get("if-none-match") == headers["etag"]
    return ApiResponse(304, b"", headers) if known else ApiResponse(200, body, headers)
