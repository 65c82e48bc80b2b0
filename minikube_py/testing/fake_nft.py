"""A table in memory that refuses what the kernel refuses (proxy.ports.RulesetApplier)."""

import asyncio

from minikube_py.proxy.chains import parse_chain_name
from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.ports import RulesetError
from minikube_py.proxy.ruleset import MAPS, Data, ElementKey, Ruleset, Transaction, chain_of


class FakeNft:
    """Transactions are all or nothing; a second chain of a name, an unknown element and a used chain are errors."""

    def __init__(self) -> None:
        self.table: Ruleset | None = None
        self.config: ProxyConfig | None = None
        """What it was told to go on with."""
        self.applied: list[Transaction] = []
        self._failures = 0
        self._foreign_change = asyncio.Event()

    def fail_next(self, times: int = 1) -> None:
        """Refuse the next transactions, as the kernel does when it is short of memory."""
        self._failures = times

    def meddle(self, table: Ruleset | None) -> None:
        """Change the table as another program would."""
        self.table = table
        self._foreign_change.set()

    def apply_nowait(self, transaction: Transaction) -> None:
        """Apply all of it or nothing.

        Raises:
            RulesetError: it was refused; the table is as before.
        """
        if self._failures:
            self._failures -= 1
            raise RulesetError("Cannot allocate memory")
        base = Ruleset({}, frozenset()) if transaction.replace_table else self.table
        if base is None:
            raise RulesetError("No such file or directory: the table")
        self.table = apply_transaction(base, transaction)
        self.applied.append(transaction)

    def use(self, config: ProxyConfig) -> None:
        """Go on with other settings."""
        self.config = config

    async def apply(self, transaction: Transaction) -> None:
        """Apply all of it or nothing."""
        self.apply_nowait(transaction)

    async def list_table(self) -> Ruleset | None:
        """Return the table."""
        return self.table

    async def remove_table(self) -> None:
        """Remove the table."""
        self.table = None

    async def wait_foreign_change(self) -> None:
        """Wait for `meddle`."""
        await self._foreign_change.wait()
        self._foreign_change.clear()


def apply_transaction(before: Ruleset, transaction: Transaction) -> Ruleset:
    """Return the table after a transaction.

    Raises:
        RulesetError: the kernel would refuse it.
    """
    chains, elements = set(before.chains), dict(before.elements)
    for chain in transaction.add_chains:
        if chain in chains or parse_chain_name(chain) is None:
            raise RulesetError(f"File exists: chain {chain}")
        chains.add(chain)
    for key in transaction.delete_elements:
        if key not in elements:
            raise RulesetError(f"No such file or directory: {key}")
        del elements[key]
    for key, data in transaction.add_elements:
        _check_element(key, data, frozenset(chains))
        if elements.get(key, data) != data:
            raise RulesetError(f"File exists: {key}")
        elements[key] = data
    used = {chain_of(data) for data in elements.values()}
    for chain in transaction.delete_chains:
        if chain not in chains or chain in used:
            raise RulesetError(f"Device or resource busy: chain {chain}")
        chains.remove(chain)
    return Ruleset(elements, frozenset(chains))


def _check_element(key: ElementKey, data: Data, chains: frozenset[str]) -> None:
    spec = MAPS.get(key.map)
    if spec is None or len(key.key) != len(spec.key):
        raise RulesetError(f"Invalid argument: {key}")
    kinds: dict[str, type] = {"verdict": str, "target": tuple, "identity": int, "member": type(None)}
    if not isinstance(data, kinds.get(spec.data, ())):
        raise RulesetError(f"Invalid argument: {key} has data {data!r}")
    chain = chain_of(data)
    if chain is not None and chain not in chains:
        raise RulesetError(f"No such file or directory: chain {chain}")
