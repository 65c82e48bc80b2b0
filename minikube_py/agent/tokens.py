"""Makes, shows and takes back join tokens, on a master: as its administrator, through the API.

The secret is made here and printed once; what goes to the cluster is a hash of it (api.join_token_secrets).
"""

import asyncio
import secrets
import ssl
import string
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from minikube_py.agent.credentials import server_url
from minikube_py.agent.errors import AgentError
from minikube_py.agent.program import program_version
from minikube_py.api.errors import NotFoundError, StatusError
from minikube_py.api.join_token_secrets import (
    NAMESPACE,
    SECRET_TYPE,
    USES_MAX,
    TokenRecord,
    record_of,
    secret_key,
    secret_of,
)
from minikube_py.api.join_tokens import (
    ID_LENGTH,
    SECRET_LENGTH,
    JoinToken,
    TokenFormatError,
    credential_id,
    digest_of,
    hash_of_ca,
    parse_token,
)
from minikube_py.api.resources import SECRETS
from minikube_py.client.interface import Client, Selection
from minikube_py.client.io.http_transport import HttpTransport
from minikube_py.client.io.rest_client import WATCH_TIMEOUT_S_RANGE, RestClient
from minikube_py.config import AgentConfig
from minikube_py.kit.durations import parse_duration
from minikube_py.kit.io.system_clock import SystemClock

T = TypeVar("T")

ALPHABET = string.ascii_lowercase + string.digits
KEPT_AFTER_EXPIRY_S = 24 * 3600.0
"""So long a token that has expired can still be seen; after that the next `token create` removes it."""
OURS = Selection(namespace=NAMESPACE, field_selector=f"type={SECRET_TYPE}")


@dataclass(frozen=True, slots=True)
class TokenOrder:
    """What a new token is to be good for."""

    ttl: str
    """A duration such as 24h; 0: it never expires."""
    uses: int
    """How many hosts may join by it; 0: any number."""
    description: str


def create_token(config: AgentConfig, order: TokenOrder) -> tuple[JoinToken, TokenRecord]:
    """Make a token and return it, and what the cluster remembers of it.

    Raises:
        AgentError: the order makes no sense, or no master runs here.
    """
    expires_at_s = _expiry(order.ttl)
    if not 0 <= order.uses <= USES_MAX:
        raise AgentError(f"--uses {order.uses}: 1 to {USES_MAX}, or 0 for any number of hosts")
    token_id, secret = _random(ID_LENGTH), _random(SECRET_LENGTH)
    credential = f"{token_id}.{secret}"
    record = TokenRecord(token_id, digest_of(credential), order.description, expires_at_s, order.uses)

    async def create() -> None:
        async with _administrator(config) as client:
            await client.create(SECRETS, secret_of(record))
            await _remove_old(client)

    _run(create())
    return JoinToken(hash_of_ca(_ca_path(config).read_bytes()), token_id, credential), record


def _expiry(ttl: str) -> float | None:
    try:
        ttl_s = 0.0 if ttl == "0" else parse_duration(ttl)
    except ValueError as error:
        raise AgentError(f"--ttl {ttl}: {error}") from error
    if ttl_s < 0:
        raise AgentError(f"--ttl {ttl}: a token cannot have expired before it is made")
    return int(SystemClock().wall_s() + ttl_s) if ttl_s else None


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


async def _remove_old(client: Client) -> None:
    oldest_s = SystemClock().wall_s() - KEPT_AFTER_EXPIRY_S
    for record in await _records(client):
        if record.expires_at_s is not None and record.expires_at_s < oldest_s:
            await client.delete(SECRETS, secret_key(record.id))


def list_tokens(config: AgentConfig) -> Sequence[TokenRecord]:
    """Return what the cluster remembers of its tokens, without their secrets, which it does not know.

    Raises:
        AgentError: no master runs here.
    """

    async def read() -> Sequence[TokenRecord]:
        async with _administrator(config) as client:
            return await _records(client)

    return _run(read())


async def _records(client: Client) -> Sequence[TokenRecord]:
    listed = await client.list(SECRETS, OURS)
    records = [record for secret in listed.items if (record := record_of(secret)) is not None]
    return sorted(records, key=lambda record: record.id)


def delete_token(config: AgentConfig, text: str) -> str:
    """Take back a token that is given whole, without its hash, or by its ID alone; return the ID.

    Raises:
        AgentError: there is none, or no master runs here.
    """
    token_id = _id_in(text)

    async def delete() -> None:
        async with _administrator(config) as client:
            try:
                await client.delete(SECRETS, secret_key(token_id))
            except NotFoundError:
                raise AgentError(f"there is no token {token_id}: `minikube-py token list` shows them") from None

    _run(delete())
    return token_id


def _id_in(text: str) -> str:
    try:
        token_id = parse_token(text).id
    except TokenFormatError:
        token_id = credential_id(text) or text
    if len(token_id) != ID_LENGTH or not set(token_id) <= set(ALPHABET):
        raise AgentError(f"a token is named by its ID, {ID_LENGTH} small letters and digits, or given whole")
    return token_id


@asynccontextmanager
async def _administrator(config: AgentConfig) -> AsyncIterator[Client]:
    """Give the API of the master that runs on this host, as its administrator."""
    folder, url = config.server_dir / "tls", server_url(config)
    try:
        tls = ssl.create_default_context(cadata=_ca_path(config).read_text())
        tls.load_cert_chain(folder / "admin.crt", folder / "admin.key")
    except PermissionError:
        raise AgentError(f"cannot read {folder}: run this as root") from None
    except FileNotFoundError:
        raise AgentError(f"no master was started on the data folder {config.data_dir} yet") from None
    async with HttpTransport(url, tls, user_agent=f"minikube-py/{program_version()}") as transport:
        yield RestClient(transport, "minikube-py-token", lambda: WATCH_TIMEOUT_S_RANGE[0])


def _ca_path(config: AgentConfig) -> Path:
    return config.server_dir / "tls" / "ca.crt"


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine; what the API server answers becomes its one line.

    Raises:
        AgentError: the API server said no, or none answered.
    """
    try:
        return asyncio.run(work)
    except StatusError as error:
        raise AgentError(error.message) from error
