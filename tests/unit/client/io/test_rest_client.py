import orjson
import pytest

from minikube_py.api.errors import ConflictError, GoneError, NotFoundError, UnavailableError, to_status
from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import CONFIGMAPS, NODES, PODS
from minikube_py.client.interface import APPLY, DeleteOptions, Selection
from minikube_py.client.io.rest_client import RestClient, error_of
from minikube_py.client.wire import ApiRequest, ApiResponse


class Echo:
    """Answers each request with the request itself: what a client sends is then what it gets."""

    async def send(self, request: ApiRequest) -> ApiResponse:
        body = orjson.loads(request.body) if request.body else None
        content = {"method": request.method, "path": request.path, "query": dict(request.query), "body": body}
        return ApiResponse(200, orjson.dumps(content | {"type": request.headers.get("content-type")}))


class Pages:
    """Serves three objects, one a page; the second page's token has expired `expired` times."""

    def __init__(self, expired: int) -> None:
        self._expired = expired

    async def send(self, request: ApiRequest) -> ApiResponse:
        items = [{"metadata": {"name": name}} for name in "abc"]
        if "limit" not in request.query:
            return self._answer(items, "9", "")
        at = int(request.query.get("continue", "0"))
        if at == 1 and self._expired:
            self._expired -= 1
            return ApiResponse(410, orjson.dumps(to_status(GoneError("expired"))))
        return self._answer(items[at : at + 1], "7", str(at + 1) if at < 2 else "")

    def _answer(self, items, version, token) -> ApiResponse:
        metadata = {"resourceVersion": version} | ({"continue": token} if token else {})
        return ApiResponse(200, orjson.dumps({"metadata": metadata, "items": items}))


def over(transport) -> RestClient:
    return RestClient(transport, "me", lambda: 321)


async def test_each_verb_has_upstreams_method_and_path():
    client = over(Echo())
    key = ObjectKey("x", "a")

    sent = await client.create(PODS, {"metadata": {"name": "a"}}, namespace="x")
    assert (sent["method"], sent["path"]) == ("POST", "/api/v1/namespaces/x/pods")
    assert sent["body"] == {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}
    sent = await client.create(PODS, {"metadata": {"name": "a"}})
    assert sent["path"] == "/api/v1/namespaces/default/pods"
    sent = await client.create_subresource(PODS, key, "binding", {"target": {"name": "n"}})
    assert (sent["method"], sent["path"]) == ("POST", "/api/v1/namespaces/x/pods/a/binding")
    sent = await client.update(NODES, {"metadata": {"name": "n"}}, subresource="status")
    assert (sent["method"], sent["path"]) == ("PUT", "/api/v1/nodes/n/status")
    assert sent["query"] == {"fieldManager": "me"}
    sent = await client.get(PODS, key)
    assert (sent["method"], sent["path"], sent["body"]) == ("GET", "/api/v1/namespaces/x/pods/a", None)


async def test_patches_carry_their_type_and_an_apply_forces():
    sent = await over(Echo()).patch(PODS, ObjectKey("x", "a"), {"spec": {}}, patch_type=APPLY)

    assert sent["type"] == "application/apply-patch+yaml"
    assert sent["query"] == {"fieldManager": "me", "force": "true"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (DeleteOptions(), {}),
        (DeleteOptions(grace_period_s=0), {"gracePeriodSeconds": 0}),
        (DeleteOptions(uid="u"), {"preconditions": {"uid": "u"}}),
        (DeleteOptions(resource_version="4"), {"preconditions": {"resourceVersion": "4"}}),
        (DeleteOptions(propagation="Orphan"), {"propagationPolicy": "Orphan"}),
    ],
    ids=["none", "grace", "uid", "version", "propagation"],
)
async def test_delete_options_say_what_was_given_and_no_more(options, expected):
    sent = await over(Echo()).delete(PODS, ObjectKey("x", "a"), options)

    assert sent["body"] == {"kind": "DeleteOptions", "apiVersion": "v1", **expected}


async def test_a_list_reads_all_pages_and_fills_in_the_kind():
    listed = await over(Pages(expired=0)).list(CONFIGMAPS)

    assert [obj["metadata"]["name"] for obj in listed.items] == ["a", "b", "c"]
    assert listed.items[0]["kind"] == "ConfigMap"
    assert listed.resource_version == "7"


async def test_a_page_that_expired_leads_to_one_whole_list():
    listed = await over(Pages(expired=1)).list(CONFIGMAPS, Selection(label_selector="a=b"))

    assert [obj["metadata"]["name"] for obj in listed.items] == ["a", "b", "c"]
    assert listed.resource_version == "9"


@pytest.mark.parametrize(
    "error", [NotFoundError("x"), ConflictError("y", {"name": "a"}), UnavailableError("z", None, 3)]
)
def test_a_status_comes_back_as_the_error_it_was(error):
    back = error_of(ApiResponse(error.code, orjson.dumps(to_status(error))))

    assert (type(back), back.message, back.details, back.retry_after_s) == (
        type(error),
        error.message,
        error.details,
        error.retry_after_s,
    )
