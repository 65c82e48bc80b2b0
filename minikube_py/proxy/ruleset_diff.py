"""What the kernel holds, what it shall hold, and the next transaction between the two.

Order is safety, because a packet reads the two maps one after the other, each in the generation current at that
moment (measured: design notes, correctness of two-map updates under load):

1. growing: new endpoint elements and the verdict that uses them go into one transaction;
2. shrinking: the verdict is switched at once; the surplus endpoint elements go `surplus_delay_s` later;
3. same number: endpoint values are replaced in one transaction;
4. dispatch chains are added before use and stay; a chain is deleted only after it was out of use at two
   verifications, hours apart (kernels before 6.2 refuse to delete a chain just left).
"""

from collections.abc import Mapping

from minikube_py.proxy.ruleset import (
    ENDPOINTS,
    MAPS,
    NODE_PORT_ENDPOINTS,
    Data,
    ElementKey,
    Ruleset,
    Transaction,
    chain_of,
)

_LINGERING_MAPS = frozenset({ENDPOINTS.name, NODE_PORT_ENDPOINTS.name})
_ABSENT = object()


class TableState:
    """Desired and committed elements of the table, by owner (the Service that wants them)."""

    def __init__(self, surplus_delay_s: float) -> None:
        self._surplus_delay_s = surplus_delay_s
        self._wanted: dict[ElementKey, dict[str, Data]] = {}
        self._by_owner: dict[str, Mapping[ElementKey, Data]] = {}
        self._kernel: dict[ElementKey, Data] = {}
        self._chains: frozenset[str] = frozenset()
        self._unused_chains: frozenset[str] = frozenset()
        self._touched: set[ElementKey] = set()
        self._surplus_due_s: dict[ElementKey, float] = {}
        self._table_exists = False

    def want(self, owner: str, elements: Mapping[ElementKey, Data]) -> None:
        """Set what `owner` wants in the table; an empty mapping withdraws all.

        Where two owners claim the same element, the smaller owner's counts.
        """
        old = self._by_owner.get(owner, {})
        for key in old.keys() - elements.keys():
            claims = self._wanted[key]
            del claims[owner]
            if not claims:
                del self._wanted[key]
            self._touched.add(key)
        for key, data in elements.items():
            if old.get(key, _ABSENT) != data:
                self._wanted.setdefault(key, {})[owner] = data
                self._touched.add(key)
        if elements:
            self._by_owner[owner] = elements
        else:
            self._by_owner.pop(owner, None)

    def observe(self, kernel: Ruleset | None) -> None:
        """Take what a listing of the kernel shows as the truth; None: the table is missing or not this version's."""
        self._table_exists = kernel is not None
        self._kernel = dict(kernel.elements) if kernel is not None else {}
        self._chains = kernel.chains if kernel is not None else frozenset()
        self._touched = set(self._wanted) | set(self._kernel)
        self._surplus_due_s = {}

    def differences(self, kernel: Ruleset) -> tuple[ElementKey, ...]:
        """Return the elements that stand otherwise in the kernel than they were committed, sorted."""
        keys = self._kernel.keys() | kernel.elements.keys()
        changed = {k for k in keys if self._kernel.get(k, _ABSENT) != kernel.elements.get(k, _ABSENT)}
        return tuple(sorted(changed, key=_sort_key))

    def plan(self, now_s: float) -> Transaction:
        """Return what to change now; empty when nothing is due."""
        deletes: list[ElementKey] = []
        adds: list[tuple[ElementKey, Data]] = []
        due = {key for key, due_s in self._surplus_due_s.items() if due_s <= now_s}
        for key in sorted(self._touched | due, key=_sort_key):
            wanted, found = self._effective(key), self._kernel.get(key, _ABSENT)
            if wanted is _ABSENT:
                if found is not _ABSENT and self._may_go(key, now_s):
                    deletes.append(key)
            elif wanted != found:
                if found is not _ABSENT:
                    deletes.append(key)
                assert wanted is None or isinstance(wanted, str | tuple | int)
                adds.append((key, wanted))
        chains = {chain for chain in (chain_of(data) for _, data in adds) if chain is not None}
        return Transaction(
            replace_table=not self._table_exists,
            add_chains=tuple(sorted(chains - self._chains)),
            delete_elements=tuple(deletes),
            add_elements=tuple(adds),
        )

    def committed(self, transaction: Transaction, now_s: float) -> None:
        """Record that the kernel took what `plan` returned; to be called for an empty transaction too."""
        for key in transaction.delete_elements:
            del self._kernel[key]
            self._surplus_due_s.pop(key, None)
        self._kernel.update(transaction.add_elements)
        self._chains = (self._chains | frozenset(transaction.add_chains)) - frozenset(transaction.delete_chains)
        self._table_exists = True
        due = {key for key, due_s in self._surplus_due_s.items() if due_s <= now_s}
        for key in self._touched | due:
            if key.map in _LINGERING_MAPS and key in self._kernel and self._effective(key) is _ABSENT:
                self._surplus_due_s.setdefault(key, now_s + self._surplus_delay_s)
            else:
                self._surplus_due_s.pop(key, None)
        self._touched = {key for key in self._touched if self._effective(key) != self._kernel.get(key, _ABSENT)}
        self._touched -= self._surplus_due_s.keys()

    def next_due_s(self) -> float | None:
        """Return when the next surplus element may go."""
        return min(self._surplus_due_s.values(), default=None)

    def plan_unused_chains(self) -> Transaction:
        """Return the deletion of chains that were unused at the last call too."""
        used = {chain_of(data) for data in self._kernel.values()} | {
            chain_of(data) for claims in self._wanted.values() for data in claims.values()
        }
        unused = frozenset(self._chains - used)
        stale = unused & self._unused_chains
        self._unused_chains = unused - stale
        return Transaction(delete_chains=tuple(sorted(stale)))

    def _may_go(self, key: ElementKey, now_s: float) -> bool:
        """Return whether an unwanted element can be deleted now: verdicts at once, endpoints after their rest."""
        if key.map not in _LINGERING_MAPS:
            return True
        return self._surplus_due_s.get(key, now_s + self._surplus_delay_s) <= now_s

    def _effective(self, key: ElementKey) -> object:
        claims = self._wanted.get(key)
        return claims[min(claims)] if claims else _ABSENT


def _sort_key(key: ElementKey) -> tuple[int, tuple[str | int, ...]]:
    # Endpoints before verdicts, so that a reader of the script meets each thing after what it needs.
    return (_MAP_ORDER[key.map], key.key)


_MAP_ORDER = {name: (name not in _LINGERING_MAPS) * len(MAPS) + place for place, name in enumerate(MAPS)}
