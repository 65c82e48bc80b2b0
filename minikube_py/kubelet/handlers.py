"""What a probe or a lifecycle hook does, as frozen types (upstream: core/v1 ProbeHandler and LifecycleHandler)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ExecAction:
    """Run a command in the container."""

    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HttpGetAction:
    """GET a path; `port` is a number or the name of a container port, `host` empty means the pod's IP."""

    path: str
    port: int | str
    host: str
    scheme: str
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TcpSocketAction:
    """Open a connection; `port` and `host` as in HttpGetAction."""

    port: int | str
    host: str


@dataclass(frozen=True, slots=True)
class GrpcAction:
    """Ask the gRPC health service."""

    port: int
    service: str


@dataclass(frozen=True, slots=True)
class SleepAction:
    """Only wait."""

    seconds: float


Handler = ExecAction | HttpGetAction | TcpSocketAction | GrpcAction | SleepAction


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe, defaults filled in."""

    handler: Handler
    initial_delay_s: float
    period_s: float
    timeout_s: float
    success_threshold: int
    failure_threshold: int
    termination_grace_s: float | None


def parse_handler(raw: Mapping[str, Any] | None) -> Handler | None:
    """Return the action of a probe or lifecycle hook, or None when there is none."""
    raw = raw or {}
    if (run := raw.get("exec")) is not None:
        return ExecAction(tuple(run.get("command") or ()))
    if (get := raw.get("httpGet")) is not None:
        headers: Sequence[Mapping[str, str]] = get.get("httpHeaders") or ()
        return HttpGetAction(
            path=str(get.get("path") or "/"),
            port=get.get("port", 80),
            host=str(get.get("host") or ""),
            scheme=str(get.get("scheme") or "HTTP").lower(),
            headers=tuple((h.get("name", ""), h.get("value", "")) for h in headers),
        )
    if (tcp := raw.get("tcpSocket")) is not None:
        return TcpSocketAction(tcp.get("port", 0), str(tcp.get("host") or ""))
    if (grpc := raw.get("grpc")) is not None:
        return GrpcAction(int(grpc.get("port") or 0), str(grpc.get("service") or ""))
    if (wait := raw.get("sleep")) is not None:
        return SleepAction(float(wait.get("seconds") or 0))
    return None


def parse_probe(raw: Mapping[str, Any] | None) -> Probe | None:
    """Return a probe with upstream's defaults, or None when there is none."""
    handler = parse_handler(raw)
    if raw is None or handler is None:
        return None
    grace = raw.get("terminationGracePeriodSeconds")
    return Probe(
        handler=handler,
        initial_delay_s=float(raw.get("initialDelaySeconds") or 0),
        period_s=float(raw.get("periodSeconds") or 10),
        timeout_s=float(raw.get("timeoutSeconds") or 1),
        success_threshold=int(raw.get("successThreshold") or 1),
        failure_threshold=int(raw.get("failureThreshold") or 3),
        termination_grace_s=None if grace is None else float(grace),
    )
