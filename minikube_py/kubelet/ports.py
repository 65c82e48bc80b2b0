"""What the kubelet needs of its neighbours: declared here, implemented by network and proxy, wired by agent.py."""

from typing import Protocol


class PodNetwork(Protocol):
    """Gives a pod's sandbox its address and its link (upstream: the CNI plugin)."""

    async def attach(self, pod_uid: str, sandbox_pid: int) -> str:
        """Connect the network namespace of process `sandbox_pid` and return the pod's IP; idempotent per uid.

        Raises:
            OSError: it could not be connected; nothing half-made is left.
        """
        ...

    async def detach(self, pod_uid: str) -> None:
        """Take the link away and set the address free (after its quarantine); fine when there is none."""
        ...

    async def adopt(self, live: dict[str, int]) -> dict[str, str]:
        """Tell which pods run (uid -> sandbox pid) after a start: keeps theirs, sweeps the rest.

        Returns:
            The pod IPs by uid of those whose connection stands; the others must be attached again.
        """
        ...


class EndpointDrain(Protocol):
    """Knows when the kernel of this node sends no new connections to a pod (implemented by the proxy)."""

    async def wait_withdrawn(self, pod_ip: str, timeout_s: float) -> bool:
        """Wait until no rule forwards new connections to `pod_ip`; False when `timeout_s` passes first.

        A pod that is only kept as the last resort (serving, terminating, no ready endpoint) counts as withdrawn.
        """
        ...
