"""Waiting for a certificate ends with it, with a refusal, or in time."""

import asyncio
import base64

import pytest

from minikube_py.api.errors import ForbiddenError, UnavailableError
from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import SIGNING_REQUESTS
from minikube_py.client.io.signing_requests import wait_certificate
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.manual_clock import ManualClock
from minikube_py.testing.signing_requests import pkcs10, signing_request


async def a_request(client):
    return await client.create(SIGNING_REQUESTS, signing_request(pkcs10("system:node:n1"), name="r"))


async def answer(client, **status):
    await client.patch(SIGNING_REQUESTS, ObjectKey("", "r"), {"status": status}, subresource="status")


CERTIFICATE = {"certificate": base64.b64encode(b"PEM").decode()}
DENIED = {"conditions": [{"type": "Denied", "status": "True", "message": "taken"}]}


async def test_the_certificate_is_given_when_it_comes():
    client = FakeClient(ManualClock())
    request = await a_request(client)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(wait_certificate(client, request, 5.0))
        await asyncio.sleep(0)
        await answer(client, conditions=[{"type": "Approved", "status": "True"}])
        await answer(client, **CERTIFICATE)

    assert waiting.result() == "PEM"


async def test_an_answer_that_is_there_needs_no_waiting():
    client = FakeClient(ManualClock())
    request = await a_request(client)

    assert await wait_certificate(client, {**request, "status": CERTIFICATE}, 5.0) == "PEM"


async def test_a_refusal_ends_the_waiting():
    client = FakeClient(ManualClock())
    request = await a_request(client)
    await answer(client, **DENIED)

    with pytest.raises(ForbiddenError, match="taken"):
        await wait_certificate(client, request, 5.0)


async def test_without_an_answer_it_is_to_be_asked_again():
    client = FakeClient(ManualClock())
    request = await a_request(client)

    with pytest.raises(UnavailableError, match="no answer yet"):
        await wait_certificate(client, request, 0.01)
