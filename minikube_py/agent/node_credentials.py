"""What makes this host a node of its cluster, in `DATA/agent`: all that it needs to start when no server answers.

tls/server-ca.crt          whom it believes
cluster.json               where the server is, and the settings that all nodes share
tls/kubelet-client.pem     who it is: certificate and key; written last, so that it stands for the whole
tls/serving-kubelet.pem    what its kubelet shows
tls/joining.key            the key of a host that is on its way in; gone when it is in, or refused
"""

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from minikube_py.agent.errors import AgentError
from minikube_py.api.meta import format_time
from minikube_py.config import AgentConfig
from minikube_py.kit.io.files import make_private_folder, write_atomic
from minikube_py.kit.io.keys import new_key_pem
from minikube_py.kubelet.io.certificate_renewal import read_pair, split_pair, store_pair

log = logging.getLogger("agent")


@dataclass(frozen=True, slots=True)
class Membership:
    """A host's place in a cluster."""

    server_url: str
    ca_pem: bytes
    cluster: Mapping[str, Any]
    """The settings that all nodes share (agent.cluster_settings)."""


def kept_cluster_settings(config: AgentConfig) -> Mapping[str, Any]:
    """Return the settings that this host was told when it joined; none on a host that did not, such as a master."""
    try:
        saved: Mapping[str, Any] = orjson.loads(_cluster_path(config).read_bytes())["cluster"]
    except (FileNotFoundError, orjson.JSONDecodeError, KeyError, TypeError):
        return {}
    return saved


def _cluster_path(config: AgentConfig) -> Path:
    return config.agent_dir / "cluster.json"


class NodeCredentials:
    """The files of one host."""

    def __init__(self, config: AgentConfig) -> None:
        self._node_name = config.node_name
        self._folder = config.agent_dir / "tls"
        self._ca = self._folder / "server-ca.crt"
        self._joining_key = self._folder / "joining.key"
        self._cluster = _cluster_path(config)
        self.client = self._folder / "kubelet-client.pem"
        self.serving = self._folder / "serving-kubelet.pem"

    def load(self, now_s: float) -> Membership | None:
        """Return the cluster that this host is a node of; None: it is of none, or its certificate has run out.

        Raises:
            AgentError: it is a node by another name, or a file is damaged.
        """
        held = read_pair(self.client)
        if held is None:
            return None
        if held.not_after_s <= now_s:
            log.warning("the certificate of node %s ran out at %s", held.node_name, format_time(held.not_after_s))
            return None
        if held.node_name != self._node_name:
            raise AgentError(
                f"this host is node {held.node_name} of its cluster, not {self._node_name}: give it --node-name "
                f"{held.node_name}, or remove {self.client} to let it join under another name"
            )
        try:
            saved = orjson.loads(self._cluster.read_bytes())
            return Membership(str(saved["server"]), self._ca.read_bytes(), saved["cluster"])
        except (OSError, orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise AgentError(
                f"{self._cluster} or {self._ca} cannot be used ({error}): remove {self.client} and join again"
            ) from error

    def joining_key(self) -> bytes:
        """Return the key to join with; the same one until the host is in, since the server knows the host by it.

        That of a certificate that ran out is taken again: by it the host shows that it was this node.

        Raises:
            OSError: it cannot be kept.
        """
        if self._ran_out():
            return split_pair(self.client)[1]
        with suppress(FileNotFoundError):
            return self._joining_key.read_bytes()
        make_private_folder(self._folder)
        key_pem = new_key_pem()
        write_atomic(self._joining_key, key_pem, 0o600)
        return key_pem

    def expired_certificate(self) -> bytes:
        """Return the certificate by which the host was this node until it ran out; empty: it was not."""
        return split_pair(self.client)[0] if self._ran_out() else b""

    def _ran_out(self) -> bool:
        """Return whether there is a certificate of this node; who joins has none that is good."""
        held = read_pair(self.client)
        return held is not None and held.node_name == self._node_name

    def store(self, membership: Membership, certificate_pem: bytes, key_pem: bytes) -> None:
        """Keep what the host was given.

        Raises:
            OSError: it cannot be kept.
        """
        make_private_folder(self._folder)
        write_atomic(self._ca, membership.ca_pem, 0o644)
        self.remember(membership)
        store_pair(self.client, certificate_pem, key_pem)
        self._joining_key.unlink(missing_ok=True)

    def remember(self, membership: Membership) -> None:
        """Keep where the server is.

        Raises:
            OSError: it cannot be kept.
        """
        saved = {"server": membership.server_url, "cluster": membership.cluster}
        write_atomic(self._cluster, orjson.dumps(saved, option=orjson.OPT_INDENT_2) + b"\n", 0o600)

    def forget_joining(self) -> None:
        """Throw the key of a host away that was refused."""
        self._joining_key.unlink(missing_ok=True)

    def remove_empty_folders(self) -> None:
        """Leave no folder behind that holds nothing."""
        for folder in (self._folder, self._folder.parent, self._folder.parent.parent):
            with suppress(OSError):
                folder.rmdir()  # fails when something is in it, as it should
