"""Reaches the servers of APIServices: an endpoint of their Service, over TLS, as the front proxy.

This server proves itself by its front proxy certificate, and says by headers who asks; the other one proves itself by
a certificate for `name.namespace.svc` that the caBundle signed. Requests go straight to a ready endpoint, which works
on hosts without service rules too.

Upstream: kube-aggregator pkg/apiserver (resolvers.go, handler_proxy.go), with --enable-aggregator-routing.
"""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import hdrs
from yarl import URL

from minikube_py.api.endpoint_slices import SERVICE_NAME_LABEL
from minikube_py.api.errors import UnavailableError
from minikube_py.api.meta import labels_of
from minikube_py.api.resources import ENDPOINT_SLICES, SERVICES
from minikube_py.apiserver.api_services import ApiService, ServiceReference
from minikube_py.apiserver.canonical import decode
from minikube_py.apiserver.io.answer_bodies import read_bounded
from minikube_py.apiserver.io.http_forwarder import HttpForwarder, unreachable
from minikube_py.apiserver.proxying import Location, request_target
from minikube_py.apiserver.request_headers import with_user
from minikube_py.apiserver.users import SYSTEM_MASTERS, UserInfo
from minikube_py.apiserver.webhooks import decode_bundle, pick_endpoint
from minikube_py.client.wire import ApiRequest, ApiResponse
from minikube_py.store.interface import Store

ANSWER_BYTES_MAX = 32 << 20
"""A longer document of another server is refused."""
CONTEXTS_MAX = 256
"""TLS contexts that are kept; beyond them all are made anew."""


@dataclass(frozen=True, slots=True)
class FrontProxy:
    """The certificate with which other servers are asked, and the CA behind it and behind clients' certificates."""

    certificate: Path
    key: Path
    ca_pem: str
    client_ca_pem: str


def aggregator_user(name: str) -> UserInfo:
    """Return who this server is when it asks on its own account: it may see everything."""
    return UserInfo(name, (SYSTEM_MASTERS,))


class ExtensionServers:
    """Finds the servers of APIServices and asks them."""

    def __init__(self, store: Store, front_proxy: FrontProxy | None) -> None:
        self._store = store
        self._front_proxy = front_proxy
        self._contexts: dict[tuple[str, str, bool], ssl.SSLContext] = {}
        self._turns = count()
        self.forwarder = HttpForwarder()

    async def close(self) -> None:
        """Close all connections."""
        await self.forwarder.close()

    def renew(self) -> None:
        """Use the front proxy's certificate that is on disk now, for new connections."""
        self._contexts.clear()

    def service_of(self, target: ServiceReference) -> tuple[Mapping[str, Any] | None, Sequence[Mapping[str, Any]]]:
        """Return the Service and its EndpointSlices."""
        entry = self._store.get(SERVICES.storage_key(target.namespace, target.name))
        slices = [decode(found) for found in self._store.range(ENDPOINT_SLICES.storage_key(target.namespace, ""))]
        mine = [found for found in slices if labels_of(found).get(SERVICE_NAME_LABEL) == target.name]
        return (None if entry is None else decode(entry)), mine

    def locate(self, target: ServiceReference) -> Location:
        """Return a ready endpoint, another one each time.

        Raises:
            UnavailableError: there is none.
        """
        service, slices = self.service_of(target)
        if service is None:
            raise UnavailableError(f'service "{target.name}" not found')
        spec = service.get("spec") or {}
        if spec.get("type") == "ExternalName":
            return Location("https", str(spec.get("externalName") or ""), target.port)
        address, port = pick_endpoint(service, slices, target.port, next(self._turns))
        return Location("https", address, port)

    def tls(self, service: ApiService, *, verify: bool = True) -> ssl.SSLContext:
        """Return the TLS settings for a server; without `verify` whatever certificate it has is fine.

        Raises:
            UnavailableError: the caBundle holds no certificates.
        """
        assert service.service is not None
        insecure = service.insecure or not verify
        key = (service.service.server_name, "" if insecure else service.ca_bundle, insecure)
        context = self._contexts.get(key)
        if context is None:
            if len(self._contexts) >= CONTEXTS_MAX:
                self._contexts.clear()
            context = self._contexts[key] = self._context(key[1], insecure=insecure)
        return context

    def _context(self, ca_bundle: str, *, insecure: bool) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cadata=decode_bundle(ca_bundle) or None)
        except ssl.SSLError as error:
            raise UnavailableError(f"unable to load root certificates: {error}") from error
        if insecure:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if self._front_proxy is not None:
            context.load_cert_chain(self._front_proxy.certificate, self._front_proxy.key)
        return context

    async def ask(
        self, service: ApiService, request: ApiRequest, user: UserInfo, *, timeout_s: float, verify: bool = True
    ) -> ApiResponse:
        """Send a request of `user` and return the whole answer; redirects are answers like others.

        Raises:
            UnavailableError: no answer in time, or one that is too long.
        """
        assert service.service is not None
        location = self.locate(service.service)
        target = request_target(request.path, urlencode(request.query))
        try:
            async with self.forwarder.session().request(
                request.method,
                URL(location.root + target, encoded=True),
                headers=with_user(request.headers.items(), user),
                data=request.body or None,
                ssl=self.tls(service, verify=verify),
                server_hostname=service.service.server_name,
                timeout=aiohttp.ClientTimeout(total=timeout_s),
                allow_redirects=False,
                skip_auto_headers=(hdrs.ACCEPT_ENCODING,),
            ) as response:
                received = await read_bounded(response, ANSWER_BYTES_MAX)
                if len(received) > ANSWER_BYTES_MAX:
                    raise UnavailableError(f"the answer is longer than {ANSWER_BYTES_MAX} bytes")
                answered = {name.lower(): value for name, value in response.headers.items()}
                return ApiResponse(response.status, received, answered)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise unreachable(location, error) from error
