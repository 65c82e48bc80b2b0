"""Runs postStart and preStop hooks (upstream: kubelet/lifecycle handlers).

An HTTP hook has done its work when there is a response, whatever its code. One that asks for HTTPS where the server
does not speak it is made again without: before Kubernetes 1.25 all hooks were.
"""

from urllib.parse import urlsplit

from prometheus_client import Counter

from minikube_py.kit.clock import Clock
from minikube_py.kubelet.container import Container
from minikube_py.kubelet.cri import ContainerId, ContainerRuntimeError, RuntimeService
from minikube_py.kubelet.handlers import ExecAction, GrpcAction, Handler, HttpGetAction, SleepAction, TcpSocketAction
from minikube_py.kubelet.hooks import hook_url
from minikube_py.kubelet.io.pod_state import PodState
from minikube_py.kubelet.ports import EventSink, ProbeNetwork
from minikube_py.kubelet.probes import PLAIN_ANSWER

HOOK_S_MAX = 3600.0
"""A postStart hook that has no bound of its own ends after this."""


class HookError(Exception):
    """A hook failed; the message says how."""


class HookRunner:
    """One for the kubelet."""

    def __init__(
        self, runtime: RuntimeService, network: ProbeNetwork, recorder: EventSink, clock: Clock, version: str
    ) -> None:
        self._runtime = runtime
        self._network = network
        self._recorder = recorder
        self._clock = clock
        what = "The number of times lifecycle handlers successfully fell back to http from https."
        self.http_fallbacks = Counter("kubelet_lifecycle_handler_http_fallbacks", what, registry=None)
        self._user_agent = f"kube-lifecycle/{version}"

    async def run(
        self, handler: Handler, run_id: ContainerId, container: Container | None, state: PodState, timeout_s: float
    ) -> None:
        """Run a hook of the container `run_id` of a pod for at most `timeout_s`.

        Raises:
            HookError: it failed, or took too long.
        """
        match handler:
            case ExecAction():
                await self._exec(handler, run_id, timeout_s)
            case HttpGetAction():
                await self._http_get(handler, container, state, timeout_s)
            case SleepAction():
                await self._clock.sleep(min(handler.seconds, timeout_s))
            case TcpSocketAction() | GrpcAction():
                raise HookError("invalid handler")

    async def _exec(self, handler: ExecAction, run_id: ContainerId, timeout_s: float) -> None:
        command = " ".join(handler.command)
        try:
            result = await self._runtime.exec_sync(run_id, handler.command, timeout_s)
        except ContainerRuntimeError as error:
            raise HookError(error.message) from error
        if result.exit_code:
            output = result.output.decode(errors="replace")
            raise HookError(f"command '{command}' exited with {result.exit_code}: {output}")

    async def _http_get(
        self, handler: HttpGetAction, container: Container | None, state: PodState, timeout_s: float
    ) -> None:
        url = hook_url(handler, state.pod_ip, container)
        if url is None:
            raise HookError(f"couldn't find port: {handler.port}")
        outcome = await self._network.http_get(url, handler.headers, timeout_s, self._user_agent)
        if outcome.output.endswith(PLAIN_ANSWER):
            # What was meant for a connection that nobody overhears stays away from one that everybody does.
            headers = tuple(header for header in handler.headers if header[0].lower() != "authorization")
            plain = "http" + url.removeprefix("https")
            again = await self._network.http_get(plain, headers, timeout_s, self._user_agent)
            if again.answered:
                self.http_fallbacks.inc()
                host = urlsplit(url).netloc
                told = f"request to HTTPS lifecycle hook {host} got HTTP response, retry with HTTP succeeded"
                self._recorder.record(state.pod.involved, "Warning", "LifecycleHTTPFallback", told)
                return
        if not outcome.answered:
            raise HookError(outcome.output)
