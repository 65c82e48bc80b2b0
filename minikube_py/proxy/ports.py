"""What the proxy needs of the kernel: declared here, implemented in `io` and by fakes that behave."""

from collections.abc import Mapping
from typing import Protocol

from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.programs import Target, UdpEntry
from minikube_py.proxy.ruleset import Ruleset, Transaction


class RulesetError(Exception):
    """The kernel refused a transaction, or the table cannot be listed; nothing of the transaction was applied."""


class RulesetApplier(Protocol):
    """The table in the kernel."""

    async def apply(self, transaction: Transaction) -> None:
        """Apply all of it or nothing.

        Raises:
            RulesetError: it was refused; the table is as before.
        """
        ...

    async def list_table(self) -> Ruleset | None:
        """Return what stands in the table; None when it is missing or not of this version.

        Raises:
            RulesetError: it cannot be listed.
        """
        ...

    def use(self, config: ProxyConfig) -> None:
        """Go on with other settings: what stands is not of this version any more, and is to be replaced."""
        ...

    async def remove_table(self) -> None:
        """Remove the table; fine when there is none."""
        ...

    async def wait_foreign_change(self) -> None:
        """Wait until somebody else has changed a table of ours."""
        ...


class FlowTable(Protocol):
    """The kernel's connection tracking."""

    async def delete_stale_udp(self, allowed: Mapping[UdpEntry, frozenset[Target]]) -> int:
        """Delete the UDP flows to these entries that lead elsewhere than allowed; return how many.

        Raises:
            OSError: the table cannot be read.
        """
        ...
