"""pods/log, and the look-up of pods for everything that goes on to their kubelets."""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.errors import not_found
from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import PODS
from minikube_py.apiserver.canonical import decode
from minikube_py.apiserver.io.answers import Answer, StreamResponse
from minikube_py.apiserver.io.kubelets import Kubelets
from minikube_py.apiserver.io.storage import Storage
from minikube_py.apiserver.pod_streams import choose_container, log_target, parse_log_options
from minikube_py.apiserver.routes import Route
from minikube_py.client.wire import ApiRequest, ApiResponse
from minikube_py.kit.clock import Clock

_PLAIN_TEXT = {"content-type": "text/plain"}


class PodLogs:
    """Answers pods/log."""

    def __init__(self, storage: Storage, kubelets: Kubelets, clock: Clock) -> None:
        self._storage = storage
        self._kubelets = kubelets
        self._clock = clock

    async def answer(self, route: Route, request: ApiRequest) -> Answer:
        """Answer a GET of a pod's log; a fault that shows before the first byte is a Status.

        Raises:
            StatusError: no such pod or container, wrong options, or the kubelet's own words.
        """
        pod = decode(self._storage.get(route))
        parse_log_options(route.name, request.query, self._clock.wall_s())
        ref = choose_container(pod, request.query.get("container", ""))
        if not (pod.get("spec") or {}).get("nodeName"):
            return ApiResponse(204, b"", _PLAIN_TEXT)
        key = ObjectKey(ref.namespace, ref.pod)
        pieces = await self._kubelets.log(self._kubelets.location(pod), log_target(ref, request.query), key)
        return StreamResponse(pieces, _PLAIN_TEXT)

    def pod(self, namespace: str, name: str) -> Mapping[str, Any]:
        """Return a pod.

        Raises:
            NotFoundError: there is none.
        """
        entry = self._storage.find(PODS, namespace, name)
        if entry is None:
            raise not_found("", PODS.plural, name)
        return decode(entry)
