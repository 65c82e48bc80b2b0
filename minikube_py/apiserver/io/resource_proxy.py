"""The proxy subresources of nodes, pods and services: the request goes on as it is, and its answer comes back so.

Here is found where it goes; `http_forwarder` sends it. Upstream: registry/core/{node,pod,service}/rest.
"""

import ssl
from random import Random
from urllib.parse import unquote

from aiohttp import hdrs, web

from minikube_py.api.errors import not_found
from minikube_py.api.resources import ENDPOINTS, NODES, SERVICES
from minikube_py.apiserver.canonical import decode
from minikube_py.apiserver.io.http_forwarder import HttpForwarder
from minikube_py.apiserver.io.passed_upgrade import Onward
from minikube_py.apiserver.io.storage import Storage
from minikube_py.apiserver.proxying import (
    Location,
    forwarded_headers,
    node_location,
    pod_location,
    request_target,
    service_location,
    split_path,
    split_target,
)
from minikube_py.apiserver.routes import Route


class ResourceProxy:
    """Answers requests to proxy subresources."""

    def __init__(self, storage: Storage, rng: Random, kubelet_tls: ssl.SSLContext | None = None) -> None:
        """`kubelet_tls`: how the API server shows itself to kubelets, and what it trusts of theirs."""
        self._storage = storage
        self._rng = rng
        self._forwarder = HttpForwarder()
        # Pods have certificates of their own making; upstream does not check them either.
        self._tls = ssl.create_default_context()
        self._tls.check_hostname, self._tls.verify_mode = False, ssl.CERT_NONE
        self._kubelet_tls = kubelet_tls or self._tls

    async def close(self) -> None:
        """Close kept connections."""
        await self._forwarder.close()

    async def answer(self, request: web.BaseRequest, route: Route) -> web.StreamResponse:
        """Send the request on and give its answer back.

        Raises:
            StatusError: there is no such object, or nobody answers there.
        """
        location = self._locate(route)
        raw_path = request.rel_url.raw_path
        prefix, rest = split_path(unquote(raw_path), namespaced=bool(route.namespace))
        query = request.rel_url.raw_query_string
        if not rest and request.method in ("GET", "HEAD"):
            where = f"{raw_path}/" + (f"?{query}" if query else "")
            return web.Response(status=301, headers={hdrs.LOCATION: where})
        headers = forwarded_headers(
            request.headers.items(),
            client=request.remote or "",
            host=request.host,
            uri=prefix + rest,
            scheme="https" if request.secure else "http",
            upgrade=bool(request.headers.get(hdrs.UPGRADE)),
        )
        onward = Onward(location, request_target(rest, query), headers, prefix)
        return await self._forwarder.forward(request, onward, self._kubelet_tls if location.kubelet else self._tls)

    def _locate(self, route: Route) -> Location:
        target = split_target(route.resource.singular, route.name)
        named = Route(route.resource, route.verb, route.namespace, target.name)
        obj = decode(self._storage.get(named))
        if route.resource is NODES:
            return node_location(obj, target)
        if route.resource is SERVICES:
            entry = self._storage.find(ENDPOINTS, route.namespace, target.name)
            if entry is None:
                raise not_found("", SERVICES.plural, target.name)  # upstream's words for absent Endpoints
            return service_location(obj, decode(entry), target, self._rng.choice)
        return pod_location(obj, target)
