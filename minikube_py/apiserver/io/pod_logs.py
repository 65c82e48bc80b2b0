"""pods/log, and finding the node's end of a stream for log, exec and attach."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from minikube_py.api.errors import BadRequestError, UnavailableError, not_found
from minikube_py.api.resources import NODES, PODS
from minikube_py.api.streams import PodStreams
from minikube_py.apiserver.canonical import decode
from minikube_py.apiserver.io.answers import Answer, StreamResponse
from minikube_py.apiserver.io.storage import Storage
from minikube_py.apiserver.pod_streams import choose_container, parse_log_options
from minikube_py.apiserver.routes import Route
from minikube_py.client.wire import ApiRequest, ApiResponse
from minikube_py.kit.clock import Clock

StreamsForNode = Callable[[str], PodStreams | None]
"""Node name -> its kubelet's streams; None when that node cannot be reached from here."""
_PLAIN_TEXT = {"content-type": "text/plain"}


class PodLogs:
    """Answers pods/log."""

    def __init__(self, storage: Storage, streams_for_node: StreamsForNode, clock: Clock) -> None:
        self._storage = storage
        self._streams_for_node = streams_for_node
        self._clock = clock

    async def answer(self, route: Route, request: ApiRequest) -> Answer:
        """Answer a GET of a pod's log; a fault that shows before the first byte is a Status.

        Raises:
            StatusError: no such pod or container, wrong options, or the kubelet's own words.
        """
        pod = decode(self._storage.get(route))
        options = parse_log_options(route.name, request.query, self._clock.wall_s())
        ref = choose_container(pod, request.query.get("container", ""))
        if not (pod.get("spec") or {}).get("nodeName"):
            return ApiResponse(204, b"", _PLAIN_TEXT)
        chunks = self.streams_of(pod).logs(ref, options)
        # The first piece says that there is a log; it is empty when nothing has been written yet.
        first = await anext(chunks, None)
        if first is None:
            return ApiResponse(200, b"", _PLAIN_TEXT)
        return StreamResponse(_chain(first, chunks), _PLAIN_TEXT)

    def pod(self, namespace: str, name: str) -> Mapping[str, Any]:
        """Return a pod.

        Raises:
            NotFoundError: there is none.
        """
        entry = self._storage.find(PODS, namespace, name)
        if entry is None:
            raise not_found("", PODS.plural, name)
        return decode(entry)

    def streams_of(self, pod: Mapping[str, Any]) -> PodStreams:
        """Return the streams of the node that a pod runs on.

        Raises:
            BadRequestError: it has none yet.
            NotFoundError: the node is gone.
            UnavailableError: the node cannot be reached.
        """
        node = str((pod.get("spec") or {}).get("nodeName") or "")
        if not node:
            raise BadRequestError(f"pod {pod['metadata']['name']} does not have a host assigned")
        streams = self._streams_for_node(node)
        if streams is not None:
            return streams
        if self._storage.find(NODES, "", node) is None:
            # Upstream looks the node up in the name of the resource that was asked for, and says so.
            raise not_found("", PODS.plural, node)
        raise UnavailableError(f'the kubelet of node "{node}" cannot be reached')


async def _chain(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if first:
        yield first
    async for chunk in rest:
        yield chunk
