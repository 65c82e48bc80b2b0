"""Who may ask this node's kubelet what: the question that is put to the API server, and the words of a refusal.

Every request is a verb on a subresource of this node (`nodes/log`, `nodes/metrics`, ...). A few paths have one of
their own and are allowed by `nodes/proxy` as well (KubeletFineGrainedAuthz): a monitor that reads `/pods` does not
need the right that also lets it run commands.

Upstream: kubelet/server/auth.go, server.go (InstallAuthFilter).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from minikube_py.api.meta import Obj

AUTHENTICATED = "system:authenticated"
_VERBS = {"POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_FINE_GRAINED = {
    "/pods": "pods",
    "/healthz": "healthz",
    "/configz": "configz",
    "/statusz": "statusz",
    "/runningpods": "pods",
}
_OF_THEIR_OWN = {"/stats": "stats", "/metrics": "metrics", "/logs": "log", "/checkpoint": "checkpoint"}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a user, its groups, and what else the authenticator knows of it."""

    name: str
    groups: tuple[str, ...]
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """What is asked: one verb on any of the subresources of this node."""

    verb: str
    subresources: tuple[str, ...]


def access_request(method: str, path: str) -> AccessRequest:
    """Return what must be allowed for a request to the kubelet."""
    fine = tuple(name for prefix, name in _FINE_GRAINED.items() if _is_below(path, prefix))
    own = next((name for prefix, name in _OF_THEIR_OWN.items() if _is_below(path, prefix)), "proxy")
    return AccessRequest(_VERBS.get(method, ""), (*fine, own))


def _is_below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


def token_review(token: str) -> Obj:
    """Return the question whose a bearer token is."""
    return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}


def caller_of_review(review: Mapping[str, Any]) -> Caller | None:
    """Return whose the token is; None when it is nobody's."""
    status = review.get("status") or {}
    if not status.get("authenticated"):
        return None
    user = status.get("user") or {}
    extra = tuple((str(key), tuple(values)) for key, values in sorted((user.get("extra") or {}).items()))
    groups = tuple(dict.fromkeys((*(user.get("groups") or ()), AUTHENTICATED)))
    return Caller(str(user.get("username") or ""), groups, str(user.get("uid") or ""), extra)


def subject_access_review(caller: Caller, verb: str, subresource: str, node_name: str) -> Obj:
    """Return the question whether `caller` may do `verb` with a subresource of this node."""
    attributes = {"version": "v1", "resource": "nodes", "subresource": subresource, "name": node_name, "verb": verb}
    spec: Obj = {"resourceAttributes": attributes, "user": caller.name, "groups": list(caller.groups)}
    if caller.uid:
        spec["uid"] = caller.uid
    if caller.extra:
        spec["extra"] = {key: list(values) for key, values in caller.extra}
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}


def is_allowed(review: Mapping[str, Any]) -> bool:
    """Return whether the answer to a SubjectAccessReview is yes."""
    return bool((review.get("status") or {}).get("allowed"))


def forbidden_text(caller: Caller, request: AccessRequest) -> str:
    """Return upstream's words for a refusal."""
    names: Sequence[str] = request.subresources
    return (
        f"Forbidden (user={caller.name}, verb={request.verb}, resource=nodes, subresource(s)=[{' '.join(names)}])\n"
    )


def failure_text(caller: Caller, request: AccessRequest, subresource: str) -> str:
    """Return upstream's words when the API server could not be asked."""
    who = f"user={caller.name}, verb={request.verb}, resource=nodes, subresource={subresource}"
    return f"Authorization error ({who})"
