"""A webhook server on loopback HTTPS: for tests of admission, conversion and aggregation over a real connection."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from minikube_py.api.meta import Obj
from minikube_py.apiserver.io.certificates import Pki

Answer = Callable[[Obj], Mapping[str, Any] | Awaitable[Mapping[str, Any]]]
"""The request in a review -> the response in it, perhaps after something else was asked."""


class Slow:
    """Answers too late for anybody."""


SLOW = Slow()
Behaviour = Answer | Slow | int | bytes
"""What a path does: answer, or be slow, or fail with a code and the text `boom`, or send these bytes."""


@dataclass(slots=True)
class WebhookServer:
    """A running server: give paths answers, and look at what was asked."""

    url: str
    ca_bundle: str
    answers: dict[str, Behaviour] = field(default_factory=dict)
    asked: list[Obj] = field(default_factory=list)
    """Every review that came, in order."""

    def client_config(self, path: str) -> Obj:
        """Return the clientConfig of the webhook at `path`."""
        return {"url": f"{self.url}{path}", "caBundle": self.ca_bundle}


def allow(
    *, patch: object = None, warnings: tuple[str, ...] = (), audit_annotations: Mapping[str, str] | None = None
) -> Answer:
    """Return an answer that allows, perhaps with a JSON patch."""

    def answer(request: Obj) -> Mapping[str, Any]:
        response: Obj = {"uid": request["uid"], "allowed": True, "warnings": list(warnings)}
        if audit_annotations:
            response["auditAnnotations"] = dict(audit_annotations)
        if patch is not None:
            response |= {"patchType": "JSONPatch", "patch": base64.b64encode(orjson.dumps(patch)).decode()}
        return response

    return answer


def deny(message: str, code: int = 403, warnings: tuple[str, ...] = ()) -> Answer:
    """Return an answer that refuses."""
    status = {"message": message, "code": code}
    return lambda request: {
        "uid": request["uid"],
        "allowed": False,
        "status": status,
        "warnings": list(warnings),
    }


@asynccontextmanager
async def webhook_server(pki: Pki) -> AsyncIterator[WebhookServer]:
    """Serve webhooks with the server certificate of `pki` while the context lasts."""
    served = WebhookServer("", base64.b64encode(pki.ca.certificate_pem).decode())

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        review = orjson.loads(await request.read())
        served.asked.append(review)
        answer = served.answers.get(request.path)
        if isinstance(answer, Slow):
            await asyncio.sleep(60)
        if isinstance(answer, int):
            return web.Response(status=answer, text="boom")
        if isinstance(answer, bytes):
            return web.Response(body=answer, content_type="application/json")
        if not callable(answer):
            return web.Response(status=500, text="no such webhook")
        response = answer(review["request"])
        if isinstance(response, Awaitable):
            response = await response
        body = {"kind": review["kind"], "apiVersion": review["apiVersion"], "response": response}
        return web.Response(body=orjson.dumps(body), content_type="application/json")

    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=pki.server_context())
    await site.start()
    host, port = runner.addresses[0][:2]
    served.url = f"https://{host}:{port}"
    try:
        yield served
    finally:
        await runner.cleanup()
