import pytest

from minikube_py.apiserver.authorize import Allowed, Denied, authorize, forbidden_request
from minikube_py.apiserver.routes import parse_request
from minikube_py.apiserver.users import ANONYMOUS, AUTHENTICATED, SYSTEM_MASTERS, UserInfo

ADMIN = UserInfo("admin", (SYSTEM_MASTERS, AUTHENTICATED))
NODE = UserInfo("system:node:n1", ("system:nodes", AUTHENTICATED))
SCHEDULER = UserInfo("system:kube-scheduler", (AUTHENTICATED,))
ALICE = UserInfo("alice", (AUTHENTICATED,))


@pytest.mark.parametrize(
    ("user", "method", "path", "allowed"),
    [
        (ADMIN, "DELETE", "/api/v1/nodes/x", True),
        (NODE, "PATCH", "/api/v1/nodes/x/status", True),
        (SCHEDULER, "POST", "/api/v1/namespaces/n/pods/p/binding", True),
        (ALICE, "GET", "/api/v1/pods", False),
        (ALICE, "GET", "/apis/apps/v1", True),
        (ALICE, "GET", "/openapi/v3", True),
        (ALICE, "GET", "/metrics", False),
        (ALICE, "POST", "/api", False),
        (ANONYMOUS, "GET", "/version", True),
        (ANONYMOUS, "GET", "/readyz/ping", True),
        (ANONYMOUS, "GET", "/livez", True),
        (ANONYMOUS, "GET", "/api", False),
        (ANONYMOUS, "GET", "/", False),
        (ANONYMOUS, "GET", "/healthzz", False),
        (ANONYMOUS, "GET", "/api/v1/pods", False),
    ],
)
def test_who_may_do_what(user, method, path, allowed):
    verdict = authorize(user, parse_request(method, path, {}))
    assert isinstance(verdict, Allowed if allowed else Denied)


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        (
            "GET",
            "/api/v1/pods",
            'pods is forbidden: User "alice" cannot list resource "pods" in API group "" at the cluster scope',
        ),
        (
            "DELETE",
            "/apis/apps/v1/namespaces/n/deployments/d",
            'deployments.apps "d" is forbidden: User "alice" cannot delete resource "deployments" in API group '
            '"apps" in the namespace "n"',
        ),
        (
            "GET",
            "/api/v1/namespaces/n/pods/p/log",
            'pods "p" is forbidden: User "alice" cannot get resource "pods/log" in API group "" in the namespace "n"',
        ),
        ("GET", "/metrics", 'forbidden: User "alice" cannot get path "/metrics"'),
    ],
)
def test_a_denial_says_who_cannot_do_what_where(method, path, message):
    error = forbidden_request(ALICE, parse_request(method, path, {}), "")
    assert (error.code, error.message) == (403, message)


def test_an_authorizer_may_say_more():
    error = forbidden_request(ALICE, parse_request("GET", "/metrics", {}), "because")
    assert error.message.endswith('"/metrics": because')
