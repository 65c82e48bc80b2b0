import pytest

from minikube_py.api.errors import MethodNotSupportedError, NotFoundError
from minikube_py.api.resources import DEPLOYMENTS, NAMESPACES, NODES, PODS
from minikube_py.apiserver.routes import Route, parse_request, resolve


def _route(method, path, **query):
    return resolve(parse_request(method, path, query))


@pytest.mark.parametrize(
    ("method", "path", "query", "route"),
    [
        ("GET", "/api/v1/pods", {}, Route(PODS, "list", "", "")),
        ("GET", "/api/v1/pods", {"watch": "1"}, Route(PODS, "watch", "", "")),
        ("GET", "/api/v1/pods", {"watch": ""}, Route(PODS, "watch", "", "")),
        ("GET", "/api/v1/pods", {"watch": "yes"}, Route(PODS, "watch", "", "")),
        ("GET", "/api/v1/pods", {"watch": "False"}, Route(PODS, "list", "", "")),
        ("GET", "/api/v1/pods", {"watch": "0"}, Route(PODS, "list", "", "")),
        ("HEAD", "/api/v1/namespaces/n/pods/p", {}, Route(PODS, "get", "n", "p")),
        ("GET", "/api/v1/namespaces/n/pods/p", {"watch": "true"}, Route(PODS, "watch", "n", "p")),
        ("GET", "/api/v1/watch/namespaces/n/pods", {}, Route(PODS, "watch", "n", "")),
        ("GET", "/api/v1/watch/pods", {}, Route(PODS, "watch", "", "")),
        ("POST", "/api/v1/namespaces/n/pods", {}, Route(PODS, "create", "n", "")),
        ("POST", "/api/v1/namespaces/n/pods/p/binding", {}, Route(PODS, "create", "n", "p", "binding")),
        (
            "PATCH",
            "/apis/apps/v1/namespaces/n/deployments/d/scale",
            {},
            Route(DEPLOYMENTS, "patch", "n", "d", "scale"),
        ),
        ("DELETE", "/apis/apps/v1/namespaces/n/deployments", {}, Route(DEPLOYMENTS, "deletecollection", "n", "")),
        ("DELETE", "/api/v1/nodes/x/", {}, Route(NODES, "delete", "", "x")),
        ("GET", "/api/v1/namespaces", {}, Route(NAMESPACES, "list", "", "")),
        ("GET", "/api/v1/namespaces/n", {}, Route(NAMESPACES, "get", "", "n")),
        ("PUT", "/api/v1/namespaces/n/finalize", {}, Route(NAMESPACES, "update", "", "n", "finalize")),
        ("GET", "/api/v1/namespaces/n/status", {}, Route(NAMESPACES, "get", "", "n", "status")),
        ("GET", "/api/v1/namespaces/n/pods/p/log", {}, Route(PODS, "get", "n", "p", "log")),
    ],
)
def test_a_path_leads_to_its_route(method, path, query, route):
    assert resolve(parse_request(method, path, query)) == route


@pytest.mark.parametrize(
    "path", ["/", "/api", "/api/v1", "/apis/apps", "/apis/apps/v1", "/healthz/ping", "/openapi/v3"]
)
def test_a_path_that_ends_before_a_resource_asks_for_none(path):
    info = parse_request("GET", path, {})
    assert not info.is_resource
    assert (info.verb, info.path) == ("get", path)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/foos",
        "/api/v2/pods",
        "/apis/nope/v1/pods",
        "/api/v1/namespaces/n/pods/p/nope",
        "/api/v1/namespaces/n/pods/p/log/x",
    ],
)
def test_what_is_not_served_is_not_found(path):
    with pytest.raises(NotFoundError, match="the server could not find the requested resource"):
        _route("GET", path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/pods"),
        ("PUT", "/api/v1/namespaces/n/pods"),
        ("POST", "/api/v1/namespaces/n/pods/p"),
        ("DELETE", "/api/v1/pods"),
        ("DELETE", "/api/v1/namespaces"),
        ("DELETE", "/api/v1/namespaces/n/pods/p/status"),
        ("PATCH", "/api/v1/namespaces/n/pods/p/binding"),
        ("GET", "/api/v1/pods/p"),
        ("FROB", "/api/v1/namespaces/n/pods"),
    ],
)
def test_a_verb_that_is_not_served_is_not_allowed(method, path):
    with pytest.raises(MethodNotSupportedError):
        _route(method, path)


def test_a_namespace_is_judged_inside_itself():
    assert parse_request("GET", "/api/v1/namespaces/n", {}).namespace == "n"


def test_a_resource_that_does_not_exist_can_still_be_judged():
    info = parse_request("GET", "/apis/example.com/v1/foos", {})
    assert (info.verb, info.group, info.version, info.resource) == ("list", "example.com", "v1", "foos")
