"""Asks a definition's webhook to convert custom objects. Upstream: apiserver/conversion/webhook_converter.go."""

from collections.abc import Mapping, Sequence
from typing import Any

from minikube_py.api.errors import InternalError, StatusError
from minikube_py.api.meta import Obj
from minikube_py.api.resource import Resource
from minikube_py.apiserver.conversion import conversion_review, parse_conversion_review
from minikube_py.apiserver.io.webhook_client import WebhookClient
from minikube_py.kit.ids import Ids

TIMEOUT_S = 30.0
"""Upstream's time limit for a conversion."""


class ConversionWebhooks:
    """Implements io.views.ConvertByWebhook."""

    def __init__(self, client: WebhookClient, ids: Ids) -> None:
        self._client = client
        self._ids = ids

    async def convert(self, resource: Resource, objs: Sequence[Mapping[str, Any]], api_version: str) -> Sequence[Obj]:
        """Return the objects in `api_version`, in their order; those of one version are asked for together.

        Raises:
            InternalError: the webhook cannot be reached, refuses, or answers with something else.
        """
        assert resource.custom is not None
        config = (resource.custom.conversion.get("webhook") or {}).get("clientConfig") or {}
        converted: dict[int, Obj] = {}
        versions = dict.fromkeys(str(obj.get("apiVersion")) for obj in objs)
        for version in versions:
            places = [index for index, obj in enumerate(objs) if obj.get("apiVersion") == version]
            asked = [objs[index] for index in places]
            if version == api_version:
                converted.update(zip(places, (dict(obj) for obj in asked), strict=True))
                continue
            uid = self._ids.new_uid()
            before = f"conversion webhook for {version}, Kind={resource.kind} failed"
            try:
                target = self._client.resolve(config, f"?timeout={TIMEOUT_S:g}s")
                answer = await self._client.ask(target, conversion_review(asked, api_version, uid), TIMEOUT_S)
            except StatusError as error:
                raise InternalError(f"{before}: {error.message}") from error
            converted.update(zip(places, parse_conversion_review(answer, asked, api_version, uid), strict=True))
        return [converted[index] for index in range(len(objs))]
