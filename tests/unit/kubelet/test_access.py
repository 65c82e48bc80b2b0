import pytest

from minikube_py.kubelet.access import (
    AccessRequest,
    Caller,
    access_request,
    caller_of_review,
    failure_text,
    forbidden_text,
    is_allowed,
    subject_access_review,
    token_review,
)


@pytest.mark.parametrize(
    ("method", "path", "verb", "subresources"),
    [
        ("GET", "/pods", "get", ("pods", "proxy")),
        ("GET", "/runningpods/", "get", ("pods", "proxy")),
        ("GET", "/podsx", "get", ("proxy",)),
        ("GET", "/healthz/log", "get", ("healthz", "proxy")),
        ("GET", "/configz", "get", ("configz", "proxy")),
        ("GET", "/stats/summary", "get", ("stats",)),
        ("GET", "/metrics/cadvisor", "get", ("metrics",)),
        ("GET", "/logs/messages", "get", ("log",)),
        ("POST", "/checkpoint/a/b/c", "create", ("checkpoint",)),
        ("POST", "/exec/a/b/c", "create", ("proxy",)),
        ("GET", "/exec/a/b/c", "get", ("proxy",)),
        ("PUT", "/", "update", ("proxy",)),
        ("BREW", "/", "", ("proxy",)),
    ],
)
def test_each_path_is_a_subresource_of_the_node(method, path, verb, subresources):
    assert access_request(method, path) == AccessRequest(verb, subresources)


def test_the_questions_and_their_answers():
    assert token_review("t")["spec"] == {"token": "t"}
    user = {"username": "a", "groups": ["g"], "uid": "1", "extra": {"k": ["v"]}}
    caller = caller_of_review({"status": {"authenticated": True, "user": user}})
    assert caller == Caller("a", ("g", "system:authenticated"), "1", (("k", ("v",)),))
    assert caller_of_review({"status": {"user": user}}) is None
    review = subject_access_review(caller, "get", "log", "n1")
    assert review["spec"] == {
        "resourceAttributes": {
            "version": "v1",
            "resource": "nodes",
            "subresource": "log",
            "name": "n1",
            "verb": "get",
        },
        "user": "a",
        "groups": ["g", "system:authenticated"],
        "uid": "1",
        "extra": {"k": ["v"]},
    }
    assert is_allowed({"status": {"allowed": True}})
    assert not is_allowed({"status": {"allowed": False, "denied": True}})


def test_refusals_have_upstreams_words():
    request = AccessRequest("get", ("pods", "proxy"))
    caller = Caller("a", ())

    refused = "Forbidden (user=a, verb=get, resource=nodes, subresource(s)=[pods proxy])\n"
    assert forbidden_text(caller, request) == refused
    assert (
        failure_text(caller, request, "pods")
        == "Authorization error (user=a, verb=get, resource=nodes, subresource=pods)"
    )
