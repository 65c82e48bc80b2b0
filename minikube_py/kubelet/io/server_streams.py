"""The kubelet server's answers that are streams: container logs, exec, attach, run and port-forward.

The pod is looked up among this node's pods, the container at the runtime; what is missing is told before the
connection changes its protocol, as a plain HTTP answer. Upstream: kubelet/server/server.go, cri/streaming.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Protocol

from aiohttp import web

from minikube_py.api.errors import BadRequestError, InternalError, NotFoundError, StatusError
from minikube_py.api.meta import uid_of
from minikube_py.api.streams import ContainerRef, ExecOptions, PodRef, PodStreams, TerminalSize
from minikube_py.kit.clock import Clock
from minikube_py.kubelet.server_routes import KubeletRoute, parse_command_query, parse_log_query
from minikube_py.streaming.io.port_forward import serve_port_forward
from minikube_py.streaming.io.remote_command import serve_remote_command

RUN_OUTPUT_BYTES_MAX = 16 << 20
"""Output of `/run` beyond this is dropped; the command goes on."""

FindPod = Callable[[str, str], Mapping[str, Any] | None]
"""(namespace, name) -> the pod of this node, or None."""
_CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")


class NodeStreams(PodStreams, Protocol):
    """The streams of this node's pods (kubelet.io.pod_streams)."""

    async def find_running(self, ref: ContainerRef) -> ContainerRef:
        """Return `ref` with the id of the container that runs; raises StatusError when none does."""
        ...


class ServerStreams:
    """Answers for one node."""

    def __init__(self, find_pod: FindPod, streams: NodeStreams, clock: Clock) -> None:
        self._find_pod = find_pod
        self._streams = streams
        self._clock = clock

    async def answer(self, request: web.BaseRequest, route: KubeletRoute) -> web.StreamResponse:
        """Serve a stream to its end.

        Raises:
            StatusError: it cannot begin; the message is the answer's text.
        """
        if route.kind == "containerLogs":
            return await self._logs(request, route)
        if route.kind == "portForward":
            pod = self._pod(route)
            ref = PodRef(route.namespace, route.pod, uid_of(pod))
            return await serve_port_forward(request, ref, self._streams)
        if route.kind == "run":
            return await self._run(request, route)
        options = parse_command_query(
            request.query, request.query.getall("command", []), attach=route.kind == "attach"
        )
        running = await self._streams.find_running(self._container(route, self._pod(route)))
        return await serve_remote_command(request, running, options, self._streams)

    def _pod(self, route: KubeletRoute) -> Mapping[str, Any]:
        pod = self._find_pod(route.namespace, route.pod)
        if pod is None:
            raise NotFoundError("pod does not exist")
        if route.pod_uid and uid_of(pod) != route.pod_uid:
            raise NotFoundError("pod not found")
        return pod

    def _container(self, route: KubeletRoute, pod: Mapping[str, Any]) -> ContainerRef:
        return ContainerRef(route.namespace, route.pod, uid_of(pod), route.container)

    async def _logs(self, request: web.BaseRequest, route: KubeletRoute) -> web.StreamResponse:
        options = parse_log_query(request.query, self._clock.wall_s())
        pod = self._find_pod(route.namespace, route.pod)
        if pod is None:
            raise NotFoundError(f'pod "{route.pod}" does not exist')
        spec = pod.get("spec") or {}
        if not any(c["name"] == route.container for field in _CONTAINER_LISTS for c in spec.get(field) or ()):
            raise NotFoundError(f'container "{route.container}" not found in pod "{route.pod}"')
        chunks = self._streams.logs(self._container(route, pod), options)
        try:
            first = await anext(chunks, b"")
        except StatusError as error:
            raise BadRequestError(error.message) from error  # upstream's code for whatever it is
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(first)
        async for chunk in chunks:
            await response.write(chunk)
        await response.write_eof()
        return response

    async def _run(self, request: web.BaseRequest, route: KubeletRoute) -> web.StreamResponse:
        command = tuple(request.query.get("cmd", "").split(" "))
        running = await self._streams.find_running(self._container(route, self._pod(route)))
        output = _Collected()
        options = ExecOptions(command, stdin=False, stdout=True, stderr=True, tty=False)
        code = await self._streams.exec(running, options, output)
        if code:
            said = bytes(output.stderr).decode(errors="replace")
            raise InternalError(f"command '{' '.join(command)}' exited with {code}: {said}")
        return web.Response(body=bytes(output.stdout + output.stderr), content_type="application/json")


class _Collected:
    """The client's side of a command that nobody talks to."""

    def __init__(self) -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()

    async def stdin(self) -> AsyncIterator[bytes]:
        return
        yield b""

    async def resizes(self) -> AsyncIterator[TerminalSize]:
        return
        yield TerminalSize(0, 0)

    async def write_stdout(self, data: bytes) -> None:
        self.stdout += data[: RUN_OUTPUT_BYTES_MAX - len(self.stdout)]

    async def write_stderr(self, data: bytes) -> None:
        self.stderr += data[: RUN_OUTPUT_BYTES_MAX - len(self.stderr)]
