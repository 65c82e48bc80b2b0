"""Reads what a claim of a pod leads to; asked once for each volume of a pod, before its first container."""

from minikube_py.api.errors import NotFoundError
from minikube_py.api.meta import Obj, ObjectKey, labels_of
from minikube_py.api.persistent_volumes import NodeFacts, spec_of
from minikube_py.api.resource import Resource
from minikube_py.api.resources import NODES, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES
from minikube_py.client.interface import Client
from minikube_py.kubelet.claims import ClaimFacts


class ClaimReader:
    """One for the kubelet."""

    def __init__(self, client: Client, node_name: str) -> None:
        self._client = client
        self._node_name = node_name

    async def read(self, namespace: str, name: str) -> ClaimFacts:
        """Return a claim, its volume and this node, as they are now.

        Raises:
            StatusError: the API server does not answer, or refuses.
        """
        claim = await self._get(PERSISTENT_VOLUME_CLAIMS, ObjectKey(namespace, name))
        named = str(spec_of(claim or {}).get("volumeName") or "")
        volume = await self._get(PERSISTENT_VOLUMES, ObjectKey("", named)) if named else None
        node = await self._get(NODES, ObjectKey("", self._node_name))
        return ClaimFacts(claim, volume, NodeFacts(self._node_name, labels_of(node or {})))

    async def _get(self, resource: Resource, key: ObjectKey) -> Obj | None:
        try:
            return await self._client.get(resource, key)
        except NotFoundError:
            return None
