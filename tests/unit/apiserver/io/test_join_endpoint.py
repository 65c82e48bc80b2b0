"""Uses of a token are counted rightly whatever happens between reading and writing."""

import asyncio
import base64

import orjson
import pytest

from minikube_py.api.errors import ForbiddenError, MethodNotSupportedError, StatusError, TooManyRequestsError
from minikube_py.api.join_token_secrets import TokenRecord, record_of, secret_key, secret_of
from minikube_py.api.join_tokens import CA_PATH, JOIN_PATH, digest_of
from minikube_py.api.resources import SECRETS, SIGNING_REQUESTS
from minikube_py.apiserver.io import join_endpoint
from minikube_py.apiserver.io.join_endpoint import JoinEndpoint
from minikube_py.apiserver.joining import JoinSettings
from minikube_py.client.wire import ApiRequest
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.manual_clock import ManualClock
from minikube_py.testing.signing_requests import pkcs10

CREDENTIAL = "abcdef.0123456789abcdef"
SIGNED = {"certificate": base64.b64encode(b"PEM").decode()}
DENIED = {"conditions": [{"type": "Denied", "status": "True", "message": "the name is taken"}]}
HEADERS = {"authorization": f"Bearer {CREDENTIAL}"}


class Api:
    """The API to the endpoint: everybody reads a token before anybody writes it; requests are answered at once."""

    def __init__(self, answer) -> None:
        self.client = FakeClient(ManualClock())
        self._answer = answer

    async def get(self, resource, key):
        read = await self.client.get(resource, key)
        for _ in range(20):
            await asyncio.sleep(0)
        return read

    async def create(self, resource, obj, *, namespace=""):
        created = await self.client.create(resource, obj, namespace=namespace)
        if resource is SIGNING_REQUESTS:
            await self.client.update(resource, {**created, "status": self._answer}, subresource="status")
        return created

    def __getattr__(self, verb):
        return getattr(self.client, verb)


async def an_endpoint(answer=SIGNED, uses=3):
    api = Api(answer)
    await api.create(SECRETS, secret_of(TokenRecord("abcdef", digest_of(CREDENTIAL), uses=uses)))
    settings = JoinSettings(b"CA", "digest", "0.1.0", {})
    return api, JoinEndpoint(settings, lambda user: api, ManualClock())


def a_request(name: str) -> ApiRequest:
    body = orjson.dumps({"request": pkcs10(f"system:node:{name}")})
    return ApiRequest("POST", JOIN_PATH, {}, HEADERS, body)


async def claims(api) -> list[str]:
    return [claim.node for claim in record_of(await api.client.get(SECRETS, secret_key("abcdef"))).claims]


async def outcomes(endpoint, names) -> dict[str, int]:
    async def one(name):
        try:
            return name, (await endpoint.answer(a_request(name))).status
        except StatusError as error:
            return name, error.code

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(name)) for name in names]
    return dict(task.result() for task in tasks)


async def test_hosts_that_all_saw_a_free_use_do_not_all_get_it():
    api, endpoint = await an_endpoint()
    told = await outcomes(endpoint, [f"n{number}" for number in range(10)])

    assert sorted(told.values()) == [201] * 3 + [403] * 7
    assert sorted(await claims(api)) == sorted(name for name, status in told.items() if status == 201)
    assert len(api.client.objects(SIGNING_REQUESTS)) == 3


async def test_hosts_that_are_refused_together_give_all_their_uses_back():
    api, endpoint = await an_endpoint(DENIED)
    told = await outcomes(endpoint, ["n1", "n2", "n3"])

    assert set(told.values()) == {403}
    assert await claims(api) == []
    assert not api.client.objects(SIGNING_REQUESTS)


async def test_a_refusal_says_what_the_controllers_said():
    _, endpoint = await an_endpoint(DENIED)

    with pytest.raises(ForbiddenError, match="the name is taken"):
        await endpoint.answer(a_request("n1"))


async def test_beyond_its_bound_a_host_is_told_to_ask_again(monkeypatch):
    monkeypatch.setattr(join_endpoint, "JOINS_MAX", 0)
    _, endpoint = await an_endpoint()

    with pytest.raises(TooManyRequestsError):
        await endpoint.answer(a_request("n1"))


async def test_the_ca_is_for_everybody_and_nothing_else_is_done_with_it():
    _, endpoint = await an_endpoint()

    assert (await endpoint.answer(ApiRequest("GET", CA_PATH))).body == b"CA"
    with pytest.raises(MethodNotSupportedError):
        await endpoint.answer(ApiRequest("POST", CA_PATH))
