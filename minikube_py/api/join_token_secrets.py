"""What a cluster remembers of a join token: everything but the secret, of which it keeps a hash.

It is a Secret `join-token-ID` in kube-system, of a type of its own. Upstream's type bootstrap.kubernetes.io/token
keeps the secret itself, and whoever can read Secrets can then join hosts.

A token with a number of uses remembers who used it (a claim for each host that asked), so that a host that asks again
because an answer was lost takes no second use. The claims stand in the object whose resourceVersion guards its
writes: two hosts cannot both have the last use, and a restart forgets nothing.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from minikube_py.api.meta import Obj, ObjectKey, format_time, parse_time

SECRET_TYPE = "minikube-py.io/join-token"  # noqa: S105 - the name of a type
NAMESPACE = "kube-system"
USES_MAX = 1000
"""The largest number of uses of one token: its claims stand in one object."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One use of a token."""

    request: str
    """The name of the host's certificate request, which says for which key and node it is."""
    node: str


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """What is remembered of a token."""

    id: str
    digest: str
    """api.join_tokens.digest_of its credential."""
    description: str = ""
    expires_at_s: float | None = None
    """Seconds since the epoch; None: never."""
    uses: int = 0
    """How many hosts may join by it; 0: any number, and no claims are kept."""
    claims: tuple[Claim, ...] = ()

    def refusal(self, request: str, now_s: float) -> str:
        """Return why a host with this certificate request cannot join by the token, empty when it can."""
        if self.expires_at_s is not None and now_s >= self.expires_at_s:
            return f"the token {self.id} expired at {format_time(self.expires_at_s)}"
        if not self.uses or any(claim.request == request for claim in self.claims):
            return ""
        if len(self.claims) >= self.uses:
            nodes = ", ".join(claim.node for claim in self.claims)
            return f"the token {self.id} was good for {self.uses} uses and is used up (by {nodes})"
        return ""

    def claimed(self, claim: Claim) -> "TokenRecord":
        """Return the record with one use more taken; the same one when nothing is counted or it is taken already."""
        if not self.uses or any(held.request == claim.request for held in self.claims):
            return self
        return replace(self, claims=(*self.claims, claim))

    def released(self, request: str) -> "TokenRecord":
        """Return the record with a use given back; the same one when it was not taken."""
        kept = tuple(claim for claim in self.claims if claim.request != request)
        return self if len(kept) == len(self.claims) else replace(self, claims=kept)


def secret_key(token_id: str) -> ObjectKey:
    """Return where a token's Secret is."""
    return ObjectKey(NAMESPACE, f"join-token-{token_id}")


def secret_of(record: TokenRecord, resource_version: str = "") -> Obj:
    """Return the record as a Secret; with a version, as a change of just that one."""
    key = secret_key(record.id)
    texts = {
        "token-id": record.id,
        "token-hash": record.digest,
        "description": record.description,
        "expiration": "" if record.expires_at_s is None else format_time(record.expires_at_s),
        "uses": str(record.uses),
        "claims": orjson.dumps([[claim.request, claim.node] for claim in record.claims]).decode(),
    }
    meta: Obj = {"namespace": key.namespace, "name": key.name}
    if resource_version:
        meta["resourceVersion"] = resource_version
    data = {name: base64.b64encode(text.encode()).decode() for name, text in texts.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": SECRET_TYPE, "data": data}


def record_of(secret: Mapping[str, Any]) -> TokenRecord | None:
    """Return the record in a Secret; None: it holds none (a wrong hand changed it), so nobody joins by it."""
    if secret.get("type") != SECRET_TYPE:
        return None
    try:
        texts = {name: base64.b64decode(text).decode() for name, text in (secret.get("data") or {}).items()}
        expiration = texts.get("expiration", "")
        return TokenRecord(
            id=texts["token-id"],
            digest=texts["token-hash"],
            description=texts.get("description", ""),
            expires_at_s=parse_time(expiration) if expiration else None,
            uses=int(texts["uses"]),
            claims=tuple(Claim(str(request), str(node)) for request, node in orjson.loads(texts["claims"])),
        )
    except (KeyError, TypeError, ValueError, binascii.Error):
        return None
