"""The cluster's own join token: made at the first start of a master, kept in `DATA/server/token`."""

import secrets

from minikube_py.agent.cluster_settings import render_cluster_settings
from minikube_py.agent.errors import AgentError
from minikube_py.agent.program import program_version
from minikube_py.agent.token_setting import read_token
from minikube_py.api.join_tokens import (
    PREFIX,
    SERVER_ID,
    JoinToken,
    TokenFormatError,
    digest_of,
    hash_of_ca,
    parse_token,
    server_token,
)
from minikube_py.apiserver.joining import JoinSettings
from minikube_py.config import AgentConfig
from minikube_py.kit.io.files import write_atomic


def join_settings(config: AgentConfig, ca_pem: bytes) -> JoinSettings:
    """Return how hosts join this cluster.

    Raises:
        AgentError: the cluster's token is none, or cannot be kept.
    """
    token = cluster_token(config, ca_pem)
    return JoinSettings(ca_pem, digest_of(token.credential), program_version(), render_cluster_settings(config))


def cluster_token(config: AgentConfig, ca_pem: bytes) -> JoinToken:
    """Return the cluster's own token: of the configured password, else what `DATA/server/token` holds or now gets.

    Raises:
        AgentError: it is none, is one of another cluster, or cannot be kept.
    """
    path = config.server_dir / "token"
    try:
        kept = path.read_text().strip() if path.exists() else ""
        given = read_token(config) or kept or secrets.token_hex(32)
        token = _token_of(given, ca_pem)
        if token.render() != kept:
            write_atomic(path, token.render().encode() + b"\n", 0o600)
    except OSError as error:
        raise AgentError(f"cannot keep the token in {path}: {error.strerror}") from error
    except TokenFormatError as error:
        raise AgentError(f"--token: {error}") from error
    return token


def _token_of(text: str, ca_pem: bytes) -> JoinToken:
    """Return the cluster's own token that a whole token, or a password alone, stands for."""
    if not text.startswith(PREFIX):
        return server_token(text, ca_pem)
    token = parse_token(text)
    if token.id != SERVER_ID:
        raise TokenFormatError("a server's own token is a password, or K10…::server:PASSWORD")
    if token.ca_hash != hash_of_ca(ca_pem):
        raise TokenFormatError("this is the token of another cluster: its hash is not that of the CA of this one")
    return token
