"""The API's verbs as requests: a Client over any Transport (in process, or HTTPS).

Upstream: client-go's dynamic client and pager. It retries nothing, except that a paged list whose continue token
expired is read again in one piece, as upstream's pager does.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import orjson

from minikube_py.api.errors import GoneError, InternalError, StatusError, from_status
from minikube_py.api.meta import Obj, ObjectKey, name_of, namespace_of
from minikube_py.api.resource import Resource
from minikube_py.client.interface import (
    APPLY,
    DEFAULT_DELETE,
    EVERYTHING,
    MERGE,
    DeleteOptions,
    ObjectList,
    PatchType,
    Selection,
    WatchEvent,
)
from minikube_py.client.wire import ApiRequest, ApiResponse, Transport

PAGE_MAX = 500
"""Objects in one page of a list (upstream: the pager's default)."""
WATCH_TIMEOUT_S_RANGE = (300, 600)
"""A watch is asked to end after a random time in this range, so that watches spread over servers and moments."""
_JSON = "application/json"


class RestClient:
    """Implements Client; `pick_watch_timeout_s` gives the timeoutSeconds of a watch (jitter comes from outside)."""

    def __init__(self, transport: Transport, field_manager: str, pick_watch_timeout_s: Callable[[], int]) -> None:
        self._transport = transport
        self._field_manager = field_manager
        self._pick_watch_timeout_s = pick_watch_timeout_s

    async def create(self, resource: Resource, obj: Mapping[str, Any], *, namespace: str = "") -> Obj:
        """Create and return the stored object."""
        path = resource.path(namespace or _namespace(resource, obj))
        return await self._write("POST", path, _typed(resource, obj))

    async def create_subresource(
        self, resource: Resource, key: ObjectKey, subresource: str, obj: Mapping[str, Any]
    ) -> Obj:
        """POST to a subresource."""
        return await self._write("POST", resource.path(key.namespace, key.name, subresource), obj)

    async def get(self, resource: Resource, key: ObjectKey) -> Obj:
        """Return the newest object."""
        return await self._send(ApiRequest("GET", resource.path(key.namespace, key.name), {}, {"accept": _JSON}))

    async def list(self, resource: Resource, selection: Selection = EVERYTHING) -> ObjectList:
        """Return all selected objects, read in pages."""
        try:
            return await self._list(resource, selection, PAGE_MAX)
        except GoneError:
            return await self._list(resource, selection, 0)

    async def update(self, resource: Resource, obj: Mapping[str, Any], *, subresource: str = "") -> Obj:
        """PUT the object or its subresource."""
        path = resource.path(_namespace(resource, obj), name_of(obj), subresource)
        return await self._write("PUT", path, _typed(resource, obj))

    async def patch(
        self,
        resource: Resource,
        key: ObjectKey,
        patch: Mapping[str, Any] | Sequence[Any],
        *,
        patch_type: PatchType = MERGE,
        subresource: str = "",
    ) -> Obj:
        """PATCH the object or its subresource; an apply takes fields over from other managers (force)."""
        force = {"force": "true"} if patch_type == APPLY else {}
        request = ApiRequest(
            "PATCH",
            resource.path(key.namespace, key.name, subresource),
            {"fieldManager": self._field_manager, **force},
            {"accept": _JSON, "content-type": patch_type},
            orjson.dumps(patch),
        )
        return await self._send(request)

    async def delete(self, resource: Resource, key: ObjectKey, options: DeleteOptions = DEFAULT_DELETE) -> Obj:
        """Delete; returns the Status, or the object when it lingers."""
        request = ApiRequest(
            "DELETE",
            resource.path(key.namespace, key.name),
            {},
            {"accept": _JSON, "content-type": _JSON},
            orjson.dumps(_delete_options(options)),
        )
        return await self._send(request)

    async def discover(self, group: str, version: str) -> Obj:
        """Return the APIResourceList of a group version."""
        path = f"/apis/{group}/{version}" if group else f"/api/{version}"
        return await self._send(ApiRequest("GET", path, {}, {"accept": _JSON}))

    async def watch(
        self, resource: Resource, resource_version: str, selection: Selection = EVERYTHING
    ) -> AsyncIterator[WatchEvent]:
        """Yield what happens after `resource_version`; an ERROR in the stream is raised as what it is."""
        query = {
            **_selection_query(selection),
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(self._pick_watch_timeout_s()),
            "resourceVersion": resource_version,
        }
        request = ApiRequest("GET", resource.path(selection.namespace), query, {"accept": _JSON})
        async for event in self._transport.stream(request):
            if event.type == "ERROR":
                raise from_status(event.object)
            yield event

    async def _list(self, resource: Resource, selection: Selection, page_max: int) -> ObjectList:
        query = _selection_query(selection)
        if page_max:
            query["limit"] = str(page_max)
        items: list[Obj] = []
        while True:
            page = await self._send(ApiRequest("GET", resource.path(selection.namespace), query, {"accept": _JSON}))
            items.extend(_typed(resource, item) for item in page.get("items") or ())
            if not page["metadata"].get("continue"):
                return ObjectList(tuple(items), str(page["metadata"].get("resourceVersion", "")))
            query["continue"] = page["metadata"]["continue"]

    async def _write(self, method: str, path: str, obj: Mapping[str, Any]) -> Obj:
        headers = {"accept": _JSON, "content-type": _JSON}
        query = {"fieldManager": self._field_manager}
        return await self._send(ApiRequest(method, path, query, headers, orjson.dumps(obj)))

    async def _send(self, request: ApiRequest) -> Obj:
        response = await self._transport.send(request)
        if response.status >= 400:
            raise error_of(response)
        return _object(response.body)


def error_of(response: ApiResponse) -> StatusError:
    """Return the exception for an answer that is not a success, whether or not its body is a Status."""
    try:
        status = _object(response.body)
    except InternalError:
        status = {}
    if status.get("kind") != "Status":
        text = response.body[:512].decode(errors="replace").strip()
        status = {"code": response.status, "message": text or f"the server answered {response.status}"}
    error = from_status(status)
    retry_after = response.headers.get("retry-after", "")
    if not error.retry_after_s and retry_after.isdigit():
        error.retry_after_s = int(retry_after)
    return error


def _object(body: bytes) -> Obj:
    try:
        decoded = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InternalError(f"the server's answer is not JSON: {error}") from error
    if not isinstance(decoded, dict):
        raise InternalError("the server's answer is not a JSON object")
    return decoded


def _typed(resource: Resource, obj: Mapping[str, Any]) -> Obj:
    """Return the object with apiVersion and kind: callers may leave them out, and so do upstream's list items."""
    if isinstance(obj, dict) and obj.get("kind") and obj.get("apiVersion"):
        return obj
    return {"apiVersion": resource.api_version, "kind": resource.kind, **obj}


def _namespace(resource: Resource, obj: Mapping[str, Any]) -> str:
    return (namespace_of(obj) or "default") if resource.namespaced else ""


def _selection_query(selection: Selection) -> dict[str, str]:
    query = {"labelSelector": selection.label_selector, "fieldSelector": selection.field_selector}
    return {name: value for name, value in query.items() if value}


def _delete_options(options: DeleteOptions) -> Obj:
    body: Obj = {"kind": "DeleteOptions", "apiVersion": "v1"}
    if options.grace_period_s is not None:
        body["gracePeriodSeconds"] = options.grace_period_s
    preconditions = {"uid": options.uid, "resourceVersion": options.resource_version}
    given = {name: value for name, value in preconditions.items() if value}
    if given:
        body["preconditions"] = given
    if options.propagation:
        body["propagationPolicy"] = options.propagation
    return body
