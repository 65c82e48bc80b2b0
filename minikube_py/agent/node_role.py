"""The role of a master's own Node, as `kubectl get nodes` shows it.

Kubelets may not give themselves roles (upstream's NodeRestriction), so the master does, and again when the Node was
deleted and registered anew. Upstream: kubeadm's phase mark-control-plane; k3s's control plane label controller.
"""

import asyncio
import logging

from minikube_py.api.errors import NotFoundError, StatusError
from minikube_py.api.meta import ObjectKey, labels_of
from minikube_py.api.resources import NODES
from minikube_py.client.interface import Change, Client, Informers

log = logging.getLogger("agent")

ROLES = {"node-role.kubernetes.io/control-plane": "true"}
"""The label with the value that k3s gives it."""
RETRY_S = 2.0


class NodeRole:
    """Keeps the label on one Node."""

    def __init__(self, client: Client, informers: Informers, node_name: str) -> None:
        self._client = client
        self._key = ObjectKey("", node_name)
        self._lacking = asyncio.Event()
        informers.informer(NODES).subscribe(self._look)

    def _look(self, change: Change) -> None:
        node = change.new
        if node is not None and node["metadata"]["name"] == self._key.name:
            present = labels_of(node)
            if any(present.get(name) != value for name, value in ROLES.items()):
                self._lacking.set()

    async def run(self) -> None:
        """Label the Node whenever it lacks the label."""
        while True:
            await self._lacking.wait()
            self._lacking.clear()
            try:
                await self._client.patch(NODES, self._key, {"metadata": {"labels": ROLES}})
            except NotFoundError:
                continue
            except StatusError as error:
                log.warning("node %s is not labelled: %s", self._key.name, error.message)
                await asyncio.sleep(RETRY_S)
                self._lacking.set()
