"""How a host becomes a node: what it sends, as whom it asks, what it is told.

    GET  /cacerts                   to anybody: the CA, whose hash the host compares with that in its token
    GET  /v1-minikube-py/cluster    with the token: which program this is, and the cluster's settings
    POST /v1-minikube-py/join       with the token: {"request": PKCS#10, "was": PEM} → {"certificate": PEM}

The host's request for a client certificate becomes a CertificateSigningRequest of the user system:bootstrap:ID in the
group system:bootstrappers; the controllers decide about it (controllers.certificate_approval) as about one that came
through kubectl. Its name comes from the node's name, the key and the token: who asks again gets the same answer.

A node whose certificate ran out shows that certificate (`was`) and asks for the same key: who has the token and that
key is the node, and asks as the node itself. A certificate from before the Node of today counts for nothing.

Upstream: kubelet certificate/bootstrap, with system:node-bootstrapper's rights; /cacerts is k3s's.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from minikube_py.api.certificate_requests import RequestFacts, UnreadableRequestError, issued_facts, request_facts
from minikube_py.api.errors import BadRequestError
from minikube_py.api.join_tokens import (
    BOOTSTRAP_USER_PREFIX,
    BOOTSTRAPPERS_GROUP,
    CA_PATH,
    CLUSTER_PATH,
    JOIN_PATH,
)
from minikube_py.api.meta import Obj, metadata, parse_time
from minikube_py.api.names import dns_subdomain_faults
from minikube_py.api.rules.signers import (
    BACKDATE_S,
    KUBELET_CLIENT,
    NODE_PREFIX,
    NODES_GROUP,
    kubelet_client_fault,
)
from minikube_py.apiserver.users import AUTHENTICATED, UserInfo

PATHS: Mapping[str, str] = {CA_PATH: "GET", CLUSTER_PATH: "GET", JOIN_PATH: "POST"}
BODY_BYTES_MAX = 16 << 10
REGISTRATION_S = 600.0
"""A Node is made so soon after its first certificate at the latest; a later one is that of another host, perhaps."""
USAGES = ("digital signature", "client auth")
UNKNOWN_TOKEN = "the token is not one of this cluster: it is mistyped, or was deleted"  # noqa: S105 - a message


@dataclass(frozen=True, slots=True)
class JoinSettings:
    """What a server needs to let hosts in."""

    ca_pem: bytes
    server_token_digest: str
    """Of the credential in the cluster's own token (api.join_tokens.digest_of)."""
    version: str
    """This program's."""
    cluster: Mapping[str, Any]
    """Settings that all nodes share, by the names of their flags."""

    def greeting(self) -> Obj:
        """Return what a host is told before it asks for a certificate."""
        return {"version": self.version, "cluster": self.cluster}


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """What a host asks for."""

    pkcs10: str
    """Base64 of the PEM text."""
    node_name: str
    public_key: bytes
    was_node_at_s: float | None = None
    """When it got the certificate that it shows as this node's; None: it has shown none, or not its own."""


def parse_join(body: bytes, ca_pem: bytes) -> JoinRequest:
    """Return what a host asks for; `ca_pem` is the CA that its earlier certificate must be of.

    Raises:
        BadRequestError: it asks for something that no node gets.
    """
    try:
        said = orjson.loads(body)
        pkcs10, was = said["request"], str(said.get("was", ""))
        facts: RequestFacts = request_facts(pkcs10)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise BadRequestError('a host joins by {"request": PKCS#10 in base64}') from error
    except UnreadableRequestError as error:
        raise BadRequestError(str(error)) from error
    fault = kubelet_client_fault(facts, USAGES)
    name = facts.common_name.removeprefix(NODE_PREFIX)
    for message in dns_subdomain_faults(name):
        fault = fault or f'"{name}" cannot be the name of a node: {message}'
    if fault:
        raise BadRequestError(fault)
    return JoinRequest(pkcs10, name, facts.public_key, _was_node_at_s(facts, was, ca_pem))


def _was_node_at_s(facts: RequestFacts, was: str, ca_pem: bytes) -> float | None:
    issued = issued_facts(was, ca_pem) if was else None
    if issued is None or issued.organizations != (NODES_GROUP,):
        return None
    same = (issued.common_name, issued.public_key) == (facts.common_name, facts.public_key)
    return issued.not_before_s + BACKDATE_S if same else None


def is_the_node(join: JoinRequest, node: Obj) -> bool:
    """Return whether a host has shown that it is this node."""
    created_s = parse_time(metadata(node)["creationTimestamp"])
    return join.was_node_at_s is not None and created_s <= join.was_node_at_s + REGISTRATION_S


def bootstrap_user(token_id: str) -> UserInfo:
    """Return as whom a host asks (upstream: the bootstrap token authenticator)."""
    return UserInfo(f"{BOOTSTRAP_USER_PREFIX}{token_id}", (BOOTSTRAPPERS_GROUP, AUTHENTICATED))


def request_name(join: JoinRequest, token_id: str) -> str:
    """Return the name of the host's CertificateSigningRequest, the same one each time that it asks."""
    was = "" if join.was_node_at_s is None else f"{join.was_node_at_s:.0f}"
    parts = (join.public_key, join.node_name.encode(), token_id.encode(), was.encode())
    digest = hashlib.sha256(b"\0".join(parts))
    return f"node-csr-{digest.hexdigest()[:32]}"


def signing_request(join: JoinRequest, name: str) -> Obj:
    """Return the CertificateSigningRequest to create."""
    return {
        "metadata": {"name": name},
        "spec": {"request": join.pkcs10, "signerName": KUBELET_CLIENT, "usages": list(USAGES)},
    }
