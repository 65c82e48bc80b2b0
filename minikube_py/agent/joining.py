"""How this host becomes a node: it asks until a server answers, and gives up only when the answer is no."""

import asyncio
import logging
from dataclasses import replace

from minikube_py.agent.cluster_settings import with_cluster_settings
from minikube_py.agent.errors import AgentError
from minikube_py.agent.node_credentials import Membership, NodeCredentials
from minikube_py.agent.process import Process
from minikube_py.agent.program import program_version
from minikube_py.agent.token_setting import read_token
from minikube_py.api.errors import ForbiddenError, StatusError
from minikube_py.api.join_tokens import JoinToken, TokenFormatError, hash_of_ca, parse_token
from minikube_py.client.io.join_client import JoinClient
from minikube_py.client.join_faults import JoinRefusedError, version_fault
from minikube_py.config import AgentConfig
from minikube_py.kit.backoff import BackoffPolicy, BackoffState, next_backoff
from minikube_py.kit.clock import Clock
from minikube_py.kubelet.node_certificates import build_request, wanted_client

log = logging.getLogger("agent")

RETRY = BackoffPolicy(initial_s=0.5, maximum_s=15.0, reset_after_s=120.0)


def join_token(config: AgentConfig) -> JoinToken:
    """Return the token to join with.

    Raises:
        AgentError: there is none, or it is none.
    """
    text = read_token(config)
    if not config.server_url or not text:
        raise AgentError(
            "this host is no node of a cluster, or not any more: give --server https://HOST:6443 and --token (or "
            "--token-file); `minikube-py token create --print-join-command` on a master prints both"
        )
    try:
        return parse_token(text)
    except TokenFormatError as error:
        raise AgentError(str(error)) from error


def require_same_cluster(config: AgentConfig, ca_pem: bytes) -> None:
    """Make sure that a token, if one is given, is of the cluster that this host is a node of already.

    Raises:
        AgentError: it is of another one.
    """
    try:
        token = parse_token(read_token(config))
    except (AgentError, TokenFormatError):
        return  # it was needed for joining alone, and may be gone by now
    if token.ca_hash != hash_of_ca(ca_pem):
        raise AgentError(
            f"this host is a node of another cluster than that of the token: `minikube-py down` and the removal of "
            f"{config.agent_dir} let it join that one"
        )


async def join(config: AgentConfig, credentials: NodeCredentials, process: Process, clock: Clock) -> Membership:
    """Return the cluster that this host is a node of from now on.

    Raises:
        AgentError: the host cannot join; nothing is left of the attempt.
    """
    token = join_token(config)
    client = JoinClient(config.server_url, token, clock, f"minikube-py/{program_version()}")
    failures: BackoffState | None = None
    while True:
        process.say(f"the server {config.server_url}")
        try:
            return await _join(config, credentials, client)
        except (JoinRefusedError, AgentError) as error:
            credentials.forget_joining()
            raise AgentError(f"cannot join: {error}") from error
        except StatusError as error:
            failures = next_backoff(RETRY, failures, clock.now_s())
            log.warning("cannot join yet: %s", error.message)
            process.say(f"the server {config.server_url}: {error.message}")
        await clock.sleep(failures.delay_s)


async def come_back(config: AgentConfig, credentials: NodeCredentials, server_url: str, clock: Clock) -> None:
    """Get this node a certificate in place of its own, which ran out: by the key of that and the configured token.

    Raises:
        StatusError: not now, or never without a person; the message says which.
        OSError: it cannot be kept.
    """
    config = replace(config, server_url=config.server_url or server_url)
    try:
        client = JoinClient(config.server_url, join_token(config), clock, f"minikube-py/{program_version()}")
        await _join(config, credentials, client)
    except (JoinRefusedError, AgentError) as error:
        raise ForbiddenError(f"it ran out, and this node cannot join again by itself: {error}") from error


async def _join(config: AgentConfig, credentials: NodeCredentials, client: JoinClient) -> Membership:
    await client.trust()
    greeting = await client.greet()
    if fault := version_fault(greeting.version, program_version()):
        raise JoinRefusedError(fault)
    if client.server_clock is not None and (fault := client.server_clock.fault()):
        log.warning("%s", fault)
    with_cluster_settings(config, greeting.cluster)
    key_pem = await asyncio.to_thread(credentials.joining_key)
    was_pem = await asyncio.to_thread(credentials.expired_certificate)
    certificate_pem = await client.join(build_request(wanted_client(config.node_name), key_pem), was_pem)
    membership = Membership(config.server_url, client.ca_pem, greeting.cluster)
    await asyncio.to_thread(credentials.store, membership, certificate_pem, key_pem)
    log.info("node %s joined the cluster of %s", config.node_name, config.server_url)
    return membership
