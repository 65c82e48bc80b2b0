"""Waiting for the answer to a CertificateSigningRequest (upstream: client-go util/certificate/csr)."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from minikube_py.api.certificate_answers import certificate_of
from minikube_py.api.errors import UnavailableError
from minikube_py.api.meta import name_of, resource_version_of
from minikube_py.api.resources import SIGNING_REQUESTS
from minikube_py.client.interface import Client, Selection


async def wait_certificate(client: Client, request: Mapping[str, Any], timeout_s: float) -> str:
    """Return the certificate (PEM) that answers a request, which was just created or read.

    Raises:
        ForbiddenError: the answer is no.
        ConflictError: the answer is no for now.
        UnavailableError: there is no answer within `timeout_s`.
        StatusError: the request cannot be watched.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            if certificate := certificate_of(request):
                return certificate
            only = Selection(field_selector=f"metadata.name={name_of(request)}")
            async for event in client.watch(SIGNING_REQUESTS, str(resource_version_of(request)), only):
                if event.type == "MODIFIED" and (certificate := certificate_of(event.object)):
                    return certificate
    raise UnavailableError(f"certificate request {name_of(request)} has no answer yet", retry_after_s=1)
