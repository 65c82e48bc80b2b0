"""This host's address while it is in use: a host that got another one begins anew.

An address that nobody gave was chosen at the start, and stands in links, rules, certificates and the Node. When it is
on no link any more and the host has another one (a new lease), the agent ends, and its supervisor starts it again
with that; pods run on meanwhile. Upstream: without --node-ip the kubelet looks for its address at each status.
"""

from collections.abc import Awaitable, Callable, Sequence

from minikube_py.agent.errors import AgentError
from minikube_py.kit.clock import Clock
from minikube_py.kit.own_address import LinkAddress, OwnAddress

LOOK_INTERVAL_S = 5.0


async def require_own_address(
    address: str,
    present: Callable[[], Sequence[LinkAddress]],
    choose: Callable[[], Awaitable[OwnAddress]],
    clock: Clock,
) -> None:
    """Run until the host has another address than `address`, twice in a row: a lease may be renewed in between.

    Args:
        address: the one in use.
        present: gives the addresses on the host's links.
        choose: chooses the host's own address again.
        clock: paces the looks.

    Raises:
        AgentError: so it is.
    """
    seen = ""
    while True:
        await clock.sleep(LOOK_INTERVAL_S)
        gone = all(entry.address != address for entry in present())
        chosen = await choose() if gone else OwnAddress(address, "")
        if chosen.address not in ("", address) and chosen.address == seen:
            raise AgentError(
                f"this host's address is {chosen.address} now, no more {address} ({chosen.reason}): "
                "start this agent again"
            )
        seen = chosen.address
