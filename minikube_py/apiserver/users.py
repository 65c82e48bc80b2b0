"""Who asks: the user that authentication found (upstream: user.Info)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from minikube_py.api.rules.signers import NODE_PREFIX, NODES_GROUP

SYSTEM_MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"
"""The key of the extra that says by which credential a user is known."""


@dataclass(frozen=True, slots=True)
class UserInfo:
    """A user's name and groups, and what else authentication knows."""

    name: str
    groups: tuple[str, ...]
    uid: str = ""
    """Tells users of the same name apart over time: that of a service account."""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Further facts (the pod and the node that a token is bound to), by key."""


def render_user(user: UserInfo) -> dict[str, Any]:
    """Return a user as authentication.k8s.io's UserInfo."""
    rendered = {"username": user.name, "groups": list(user.groups), "uid": user.uid, "extra": extra_of(user)}
    return {field: value for field, value in rendered.items() if value}


def extra_of(user: UserInfo) -> Mapping[str, list[str]]:
    """Return the further facts as JSON has them."""
    return {key: list(values) for key, values in user.extra}


def node_user(node_name: str) -> UserInfo:
    """Return who a node is to the API server."""
    return UserInfo(f"{NODE_PREFIX}{node_name}", (NODES_GROUP, AUTHENTICATED))


ANONYMOUS = UserInfo("system:anonymous", (UNAUTHENTICATED,))
LOOPBACK = UserInfo("system:apiserver", (SYSTEM_MASTERS, AUTHENTICATED))
"""The API server's own requests (upstream's loopback client)."""
