"""What the servers of APIServices say about themselves: discovery and OpenAPI documents, fetched and kept.

Each document is asked for with its tag, so that one that has not changed costs an empty answer.

Upstream: kube-aggregator pkg/apiserver/handler_discovery.go, pkg/controllers/{openapi,openapiv3}.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from minikube_py.api.errors import StatusError, UnavailableError
from minikube_py.api.meta import Obj
from minikube_py.apiserver.api_priorities import GroupVersion
from minikube_py.apiserver.api_services import ApiService, Registry
from minikube_py.apiserver.availability import CHECK_USER
from minikube_py.apiserver.io.extension_servers import ExtensionServers, aggregator_user
from minikube_py.apiserver.merged_discovery import ACCEPT_AGGREGATED, parse_aggregated, parse_legacy, stale_version
from minikube_py.apiserver.merged_openapi import NOTHING_ELSE, OtherSpecs, own_part, together
from minikube_py.client.wire import ApiRequest, ApiResponse

log = logging.getLogger("apiserver")

REFRESH_S = 60.0
"""So old a document may be before it is asked for again (upstream's number)."""
DISCOVERY_TIMEOUT_S = 5.0
OPENAPI_TIMEOUT_S = 60.0
_OPENAPI_USER = "system:aggregator"
_JSON = {"accept": "application/json"}


@dataclass(slots=True)
class _Kept:
    """What is known of one group version of another server."""

    service: ApiService
    discovery: Obj
    discovery_tag: str = ""
    fetched_s: float | None = None
    """When all of it was fetched; None: it is stale."""
    openapi_v3: str = ""
    """Where its OpenAPI v3 document is (serverRelativeURL); empty: it publishes none."""
    openapi_v2_tag: str = ""
    openapi_v2: tuple[Obj, Obj] | None = None
    """Paths and definitions of the group version."""


class ExtensionDocuments:
    """The documents of all other servers, as they are merged with this server's own."""

    def __init__(self, servers: ExtensionServers) -> None:
        self._servers = servers
        self._kept: dict[GroupVersion, _Kept] = {}
        self.versions: Mapping[GroupVersion, Obj] = {}
        """Discovery entries; another mapping after each change."""
        self.specs: OtherSpecs = NOTHING_ELSE
        """OpenAPI v2 of other servers; another value after each change."""

    def keep_only(self, registry: Registry) -> None:
        """Forget what no APIService stands for any more."""
        for pair in [pair for pair in self._kept if pair not in registry.remote]:
            self.forget(pair)

    def forget(self, pair: GroupVersion) -> None:
        """Forget a group version."""
        if self._kept.pop(pair, None) is not None:
            self._publish()

    def v3_paths(self) -> Mapping[str, str]:
        """Return the part of other servers in the index of `/openapi/v3`: path -> serverRelativeURL."""
        return {kept.service.path[1:]: kept.openapi_v3 for kept in self._kept.values() if kept.openapi_v3}

    def has_openapi_v3(self, service: ApiService) -> bool:
        """Return whether the server of an APIService publishes its own OpenAPI v3 document."""
        kept = self._kept.get(service.group_version)
        return kept is not None and bool(kept.openapi_v3)

    def mark_stale(self, service: ApiService) -> None:
        """Note that the server cannot be asked: its group version is there, but nobody knows with what."""
        kept = self._of(service)
        kept.discovery, kept.discovery_tag, kept.fetched_s = stale_version(service.version), "", None
        self._publish()

    def _of(self, service: ApiService) -> _Kept:
        kept = self._kept.get(service.group_version)
        if kept is None or kept.service.service != service.service:
            kept = self._kept[service.group_version] = _Kept(service, stale_version(service.version))
        kept.service = service
        return kept

    async def refresh(self, service: ApiService, now_s: float) -> None:
        """Fetch what a server says of a group version, unless that was done just before.

        Raises:
            StatusError: it could not be asked; its discovery is stale.
        """
        kept = self._of(service)
        if kept.fetched_s is not None and now_s < kept.fetched_s + REFRESH_S:
            return
        try:
            await self._refresh_discovery(kept)
        except StatusError:
            self.mark_stale(service)
            raise
        kept.fetched_s = now_s
        self._publish()
        try:
            await self._refresh_openapi_v3(kept)
            await self._refresh_openapi_v2(kept)
        except StatusError as error:
            log.info("OpenAPI of APIService %s: %s", service.name, error.message)
        self._publish()

    async def _refresh_discovery(self, kept: _Kept) -> None:
        service = kept.service
        headers = {"accept": ACCEPT_AGGREGATED, "if-none-match": kept.discovery_tag}
        answer = await self._get(service, "/apis" if service.group else "/api", headers, CHECK_USER)
        if answer.status == 304:
            return
        if answer.status >= 500:
            raise UnavailableError(f"{service.name}: non-success response code: {answer.status}")
        entry = parse_aggregated(_json(answer), service.group_version) if answer.status == 200 else None
        tag = answer.headers.get("etag", "") if entry is not None else ""
        if entry is None:
            legacy = await self._get(service, service.path, _JSON, CHECK_USER)
            entry = parse_legacy(_json(legacy), service.group_version) if legacy.status == 200 else None
        if entry is None:
            raise UnavailableError(f"failed to download discovery for {service.path}")
        kept.discovery, kept.discovery_tag = entry, tag

    async def _refresh_openapi_v3(self, kept: _Kept) -> None:
        answer = await self._get(kept.service, "/openapi/v3", _JSON, _OPENAPI_USER, OPENAPI_TIMEOUT_S)
        paths = _json(answer).get("paths") if answer.status == 200 else None
        entry = paths.get(kept.service.path[1:]) if isinstance(paths, dict) else None
        url = entry.get("serverRelativeURL") if isinstance(entry, dict) else None
        kept.openapi_v3 = url if isinstance(url, str) and url.startswith(f"/openapi/v3{kept.service.path}") else ""

    async def _refresh_openapi_v2(self, kept: _Kept) -> None:
        headers = {**_JSON, "if-none-match": kept.openapi_v2_tag}
        answer = await self._get(kept.service, "/openapi/v2", headers, _OPENAPI_USER, OPENAPI_TIMEOUT_S)
        if answer.status == 304:
            return
        kept.openapi_v2, kept.openapi_v2_tag = None, ""
        if answer.status == 200:
            # Such a document may have megabytes: other work goes on meanwhile.
            kept.openapi_v2 = await asyncio.to_thread(lambda: own_part(_json(answer), kept.service.path))
            kept.openapi_v2_tag = answer.headers.get("etag", "")

    async def _get(
        self,
        service: ApiService,
        path: str,
        headers: Mapping[str, str],
        user: str,
        timeout_s: float = DISCOVERY_TIMEOUT_S,
    ) -> ApiResponse:
        sent = {name: value for name, value in headers.items() if value}
        request = ApiRequest("GET", path, {}, sent)
        return await self._servers.ask(service, request, aggregator_user(user), timeout_s=timeout_s)

    def _publish(self) -> None:
        ordered = sorted(self._kept.items())
        self.versions = {pair: kept.discovery for pair, kept in ordered}
        parts = tuple(kept.openapi_v2 for _, kept in ordered if kept.openapi_v2 is not None)
        if list(map(id, parts)) != list(map(id, self.specs.parts)):
            self.specs = together(parts)


def _json(answer: ApiResponse) -> dict[str, Any]:
    try:
        document = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}
