"""Builders of runtime records for the tests of the kubelet's rules."""

import hashlib

from minikube_py.kubelet.cri import (
    ContainerId,
    ContainerPhase,
    ContainerRecord,
    PodIdentity,
    SandboxId,
    SandboxRecord,
)
from minikube_py.kubelet.pod_actions import ProbeLookup
from minikube_py.kubelet.pod_runtime_status import RESTART_COUNT
from minikube_py.kubelet.probes import INITIAL_RESULT, ProbeKind, ProbeResult

POD = PodIdentity("n", "p", "u")
BEGAN_S = 1767225600.0
"""2026-01-01: when things in records began."""


def a_sandbox(attempt: int = 0, *, ready: bool = True, host_network: bool = False) -> SandboxRecord:
    """Return a sandbox of the pod n/p."""
    return SandboxRecord(
        id=SandboxId(f"sandbox{attempt}"),
        pod=POD,
        attempt=attempt,
        ready=ready,
        pid=100 + attempt if ready else 0,
        created_at_s=BEGAN_S,
        host_network=host_network,
        labels={},
        annotations={},
    )


def a_run(  # noqa: PLR0913 - a builder: each test names what it cares about
    name: str,
    *,
    attempt: int = 0,
    sandbox: int = 0,
    exit_code: int | None = None,
    reason: str = "",
    message: str = "",
    image_id: str = "docker://sha256:1",
    hash: str | None = None,
) -> ContainerRecord:
    """Return a run of a container: running, or ended with `exit_code`."""
    annotations = {RESTART_COUNT: str(attempt)}
    if hash is not None:
        annotations["io.kubernetes.container.hash"] = hash
    return ContainerRecord(
        id=ContainerId(hashlib.sha256(f"{name}/{attempt}/{sandbox}".encode()).hexdigest()),
        sandbox_id=SandboxId(f"sandbox{sandbox}"),
        pod=POD,
        name=name,
        attempt=attempt,
        phase=ContainerPhase.RUNNING if exit_code is None else ContainerPhase.EXITED,
        image="",
        image_id=image_id,
        created_at_s=BEGAN_S + attempt,
        started_at_s=BEGAN_S + attempt,
        finished_at_s=0.0 if exit_code is None else BEGAN_S + attempt + 0.5,
        exit_code=exit_code or 0,
        reason=reason,
        message=message,
        annotations=annotations,
    )


def no_probes(run: ContainerRecord, kind: ProbeKind) -> ProbeResult:
    """Look up probes that have never been tried."""
    return INITIAL_RESULT[kind]


def probes(**results: ProbeResult) -> ProbeLookup:
    """Look results up by CONTAINER_KIND: `c_liveness=FAILURE` is the liveness probe of container c."""

    def lookup(run: ContainerRecord, kind: ProbeKind) -> ProbeResult:
        return results.get(f"{run.name}_{kind}", INITIAL_RESULT[kind])

    return lookup
