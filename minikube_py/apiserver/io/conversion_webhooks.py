"""Asks a definition's webhook to convert custom objects. Upstream: apiserver/conversion/webhook_converter.go."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from minikube_py.api.errors import InternalError, StatusError
from minikube_py.api.meta import Obj
from minikube_py.api.resource import Resource
from minikube_py.apiserver.conversion import conversion_review, parse_conversion_review
from minikube_py.apiserver.io.webhook_client import WebhookClient
from minikube_py.kit.ids import Ids

TIMEOUT_S = 30.0
"""Upstream's time limit for a conversion."""
QUESTION_BYTES_MAX = 1 << 20
"""Objects of more bytes are asked for in several questions: the answer for a long list would be too long, too.

Upstream asks for a whole list at once.
"""


class ConversionWebhooks:
    """Implements io.views.ConvertByWebhook."""

    def __init__(self, client: WebhookClient, ids: Ids) -> None:
        self._client = client
        self._ids = ids

    async def convert(self, resource: Resource, objs: Sequence[Mapping[str, Any]], api_version: str) -> Sequence[Obj]:
        """Return the objects in `api_version`, in their order; those of one version are asked for together, in parts.

        Raises:
            InternalError: the webhook cannot be reached, refuses, or answers with something else.
        """
        converted: dict[int, Obj] = {}
        versions = dict.fromkeys(str(obj.get("apiVersion")) for obj in objs)
        for version in versions:
            places = [index for index, obj in enumerate(objs) if obj.get("apiVersion") == version]
            if version == api_version:
                converted.update((index, dict(objs[index])) for index in places)
                continue
            for part in _questions(objs, places):
                asked = [objs[index] for index in part]
                converted.update(zip(part, await self._ask(resource, asked, api_version), strict=True))
        return [converted[index] for index in range(len(objs))]

    async def _ask(self, resource: Resource, asked: Sequence[Mapping[str, Any]], api_version: str) -> Sequence[Obj]:
        """Return objects of one version in another one: one question."""
        assert resource.custom is not None
        config = (resource.custom.conversion.get("webhook") or {}).get("clientConfig") or {}
        uid = self._ids.new_uid()
        try:
            target = self._client.resolve(config, f"?timeout={TIMEOUT_S:g}s")
            answer = await self._client.ask(target, conversion_review(asked, api_version, uid), TIMEOUT_S)
        except StatusError as error:
            given = f"{asked[0].get('apiVersion')}, Kind={resource.kind}"
            raise InternalError(f"conversion webhook for {given} failed: {error.message}") from error
        return parse_conversion_review(answer, asked, api_version, uid)


def _questions(objs: Sequence[Mapping[str, Any]], places: Sequence[int]) -> Iterator[Sequence[int]]:
    """Divide the places of objects, so that those of one part have QUESTION_BYTES_MAX, or are one object."""
    part: list[int] = []
    size_bytes = 0
    for place in places:
        more = len(orjson.dumps(objs[place]))
        if part and size_bytes + more > QUESTION_BYTES_MAX:
            yield part
            part, size_bytes = [], 0
        part.append(place)
        size_bytes += more
    yield part
