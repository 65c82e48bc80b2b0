"""Runs postStart and preStop hooks (upstream: kubelet/lifecycle handlers)."""

from minikube_py.kit.clock import Clock
from minikube_py.kubelet.container import Container
from minikube_py.kubelet.cri import ContainerId, ContainerRuntimeError, RuntimeService
from minikube_py.kubelet.handlers import ExecAction, GrpcAction, Handler, HttpGetAction, SleepAction, TcpSocketAction
from minikube_py.kubelet.hooks import hook_url
from minikube_py.kubelet.ports import ProbeNetwork
from minikube_py.kubelet.probes import ProbeResult

HOOK_S_MAX = 3600.0
"""A postStart hook that has no bound of its own ends after this."""


class HookError(Exception):
    """A hook failed; the message says how."""


class HookRunner:
    """One for the kubelet."""

    def __init__(self, runtime: RuntimeService, network: ProbeNetwork, clock: Clock, version: str) -> None:
        self._runtime = runtime
        self._network = network
        self._clock = clock
        self._user_agent = f"kube-lifecycle/{version}"

    async def run(
        self, handler: Handler, run_id: ContainerId, container: Container | None, pod_ip: str, timeout_s: float
    ) -> None:
        """Run a hook of the container `run_id` for at most `timeout_s`.

        Raises:
            HookError: it failed, or took too long.
        """
        match handler:
            case ExecAction():
                await self._exec(handler, run_id, timeout_s)
            case HttpGetAction():
                await self._http_get(handler, container, pod_ip, timeout_s)
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
        self, handler: HttpGetAction, container: Container | None, pod_ip: str, timeout_s: float
    ) -> None:
        url = hook_url(handler, pod_ip, container)
        if url is None:
            raise HookError(f"couldn't find port: {handler.port}")
        outcome = await self._network.http_get(url, handler.headers, timeout_s, self._user_agent)
        if outcome.result is not ProbeResult.SUCCESS:
            raise HookError(outcome.output)
