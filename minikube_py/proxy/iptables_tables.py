"""The chains that stand for a set of elements, kept as the elements change: what one transaction rewrites.

The elements are those of nftables mode (`ruleset`), so everything above the kernel is the same in both modes. A
changed element leads to its entry, the entry to its chain and to the leaf of a dispatch tree; only these are written
again. Dispatch chains of the intermediate form (`cluster-3`) have no counterpart here but are remembered, because
the caller counts them.
"""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network

from minikube_py.proxy.affinity import AFFINITY_MAPS
from minikube_py.proxy.chains import ChainSpec, parse_chain_name
from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.iptables_rules import (
    EntryTargets,
    Target,
    entry_chain_names,
    entry_chains,
    entry_match,
    entry_rules,
)
from minikube_py.proxy.iptables_skeleton import (
    CLUSTER_IP_TREE,
    CLUSTER_TREE,
    EXTERNAL_TREE,
    HAIRPIN_TREE,
    NODE_PORT_TREE,
    REFUSED_CLUSTER_TREE,
    REFUSED_EXTERNAL_TREE,
    REFUSED_NODE_PORT_TREE,
    REJECT_CHAIN,
    TableName,
    dispatch_trees,
    fixed_chains,
)
from minikube_py.proxy.iptables_tree import Rules, leaf_key
from minikube_py.proxy.ruleset import (
    CLUSTER_IPS,
    CLUSTER_LIST_OFFSET,
    DROP,
    ENDPOINTS,
    HAIRPIN,
    NO_ENDPOINTS,
    NO_ENDPOINTS_NODE_PORTS,
    NODE_PORT_ENDPOINTS,
    NODE_PORTS,
    RESTRICTED,
    SERVICES,
    SOURCE_RANGES,
    Data,
    ElementKey,
    Key,
    Ruleset,
    Transaction,
    chain_of,
)

ChainChanges = Mapping[str, Rules | None]
"""New rules by chain; None: the chain goes."""
TableChanges = Mapping[TableName, ChainChanges]
_MISSING = object()
_KEYS_WITH_TAIL = frozenset({ENDPOINTS.name, NODE_PORT_ENDPOINTS.name, SOURCE_RANGES.name})


class ImpossibleChangeError(ValueError):
    """A transaction that nftables would refuse: it deletes what is not there, or goes to a chain that is not."""


class IptablesTables:
    """Elements and the chains made of them; `masquerade` is the target with the options that this host knows."""

    def __init__(self, config: ProxyConfig, masquerade: str) -> None:
        self._config = config
        self._masquerade = masquerade
        self._service_network = IPv4Network(config.service_cidr)
        self._elements: dict[ElementKey, Data] = {}
        self._dispatch_chains: frozenset[str] = frozenset()
        self._ranges: dict[Key, set[str]] = {}
        self._fixed = fixed_chains(config, masquerade)
        self._trees = dispatch_trees(config)
        self._entry_chains: dict[str, Rules] = {}
        self._touched_chains: set[str] = set()

    def ruleset(self) -> Ruleset:
        """Return the elements that the chains stand for."""
        return Ruleset(self._elements, self._dispatch_chains)

    def chains(self, table: TableName) -> dict[str, Rules]:
        """Return all chains of a table with their rules."""
        found = dict(self._fixed[table])
        for tree in self._trees[table].values():
            found.update(tree.chains())
        if table == "nat":
            found.update(self._entry_chains)
        return found

    def change(self, transaction: Transaction) -> tuple[TableChanges, Transaction]:
        """Take the elements of `transaction`; return the chains that change, and the transaction that undoes it.

        Raises:
            ImpossibleChangeError: it does not fit what is there; nothing was taken.
        """
        self._check(transaction)
        undo = self._undo_of(transaction)
        entries: set[Key] = set()
        for key in transaction.delete_elements:
            del self._elements[key]
            self._note(key, present=False, entries=entries)
        for key, data in transaction.add_elements:
            self._elements[key] = data
            self._note(key, present=True, entries=entries)
        added, gone = frozenset(transaction.add_chains), frozenset(transaction.delete_chains)
        self._dispatch_chains = (self._dispatch_chains | added) - gone
        for entry in entries:
            self._settle(entry)
        return self._take_changes(), undo

    def _check(self, transaction: Transaction) -> None:
        deleted, chains = set(transaction.delete_elements), self._dispatch_chains.union(transaction.add_chains)
        for key in transaction.delete_elements:
            if key not in self._elements:
                raise ImpossibleChangeError(f"No such file or directory: {key}")
        for key, data in transaction.add_elements:
            chain = chain_of(data)
            if chain is not None and chain not in chains:
                raise ImpossibleChangeError(f"No such file or directory: chain {chain}")
            if key not in deleted and self._elements.get(key, data) != data:
                raise ImpossibleChangeError(f"File exists: {key}")

    def _undo_of(self, transaction: Transaction) -> Transaction:
        before = {key: self._elements[key] for key in transaction.delete_elements}
        added = tuple(key for key, _ in transaction.add_elements if key in before or key not in self._elements)
        return Transaction(
            add_chains=transaction.delete_chains,
            delete_elements=added,
            add_elements=tuple(before.items()),
            delete_chains=tuple(set(transaction.add_chains) - self._dispatch_chains),
        )

    def _note(self, key: ElementKey, *, present: bool, entries: set[Key]) -> None:
        """Change what depends on this element alone, and note the entry that depends on it."""
        if key.map == HAIRPIN.name:
            source, target = key.key
            rules = (f"-s {source}/32 -d {target}/32 -j {self._masquerade}",) if present else ()
            self._trees["nat"][HAIRPIN_TREE].put(leaf_key(str(target)), rules)
        elif key.map == CLUSTER_IPS.name:
            address = str(key.key[0])
            rules = (f"-d {address}/32 -g {REJECT_CHAIN}",) if present else ()
            self._trees["filter"][CLUSTER_IP_TREE].put(leaf_key(address), rules)
        elif key.map not in AFFINITY_MAPS:  # iptables keeps its clients by endpoint, beside the rules
            entry = key.key[:-1] if key.map in _KEYS_WITH_TAIL else key.key
            entries.add(entry)
            if key.map == SOURCE_RANGES.name:
                ranges = self._ranges.setdefault(entry, set())
                (ranges.add if present else ranges.discard)(str(key.key[-1]))
                if not ranges:
                    del self._ranges[entry]

    def _settle(self, entry: Key) -> None:
        """Make the chains and leaves of one entry what its elements say."""
        by_address = len(entry) > 2
        verdicts, refusals = (SERVICES, NO_ENDPOINTS) if by_address else (NODE_PORTS, NO_ENDPOINTS_NODE_PORTS)
        restricted = by_address and ElementKey(RESTRICTED.name, entry) in self._elements
        spec = self._spec(self._elements.get(ElementKey(verdicts.name, entry)))
        wanted: Mapping[str, Rules] = {}
        leaf: Rules = ()
        if spec is not None:
            wanted = entry_chains(entry, self._targets(entry, spec), self._config)
            leaf = entry_rules(entry, sorted(self._ranges.get(entry, ())), restricted=restricted)
        for name in entry_chain_names(entry):
            if self._entry_chains.get(name, _MISSING) != wanted.get(name, _MISSING):
                self._touched_chains.add(name)
                if name in wanted:
                    self._entry_chains[name] = wanted[name]
                else:
                    del self._entry_chains[name]
        key = leaf_key(str(entry[0]) if by_address else "", str(entry[-2]), int(entry[-1]))
        tree, refused_tree = self._tree_names(entry)
        self._trees["nat"][tree].put(key, leaf)
        refusal = self._elements.get(ElementKey(refusals.name, entry), DROP if restricted else None)
        if spec is not None and spec.local == 0:
            # The nat table cannot drop; what it leaves as it is must not pass for a packet to this host.
            refusal = DROP
        end = "-j DROP" if refusal == DROP else f"-g {REJECT_CHAIN}"
        self._trees["filter"][refused_tree].put(key, (f"{entry_match(entry)} {end}",) if refusal else ())

    def _tree_names(self, entry: Key) -> tuple[str, str]:
        if len(entry) == 2:
            return NODE_PORT_TREE, REFUSED_NODE_PORT_TREE
        if IPv4Address(str(entry[0])) in self._service_network:
            return CLUSTER_TREE, REFUSED_CLUSTER_TREE
        return EXTERNAL_TREE, REFUSED_EXTERNAL_TREE

    @staticmethod
    def _spec(verdict: Data) -> ChainSpec | None:
        chain = chain_of(verdict)
        return None if chain is None else parse_chain_name(chain)

    def _targets(self, entry: Key, spec: ChainSpec) -> EntryTargets:
        if spec.local is None:
            return EntryTargets(spec, self._list(entry, 0, spec.count))
        everywhere = self._list(entry, CLUSTER_LIST_OFFSET, spec.count)
        return EntryTargets(spec, everywhere, self._list(entry, 0, spec.local))

    def _list(self, entry: Key, offset: int, count: int) -> tuple[Target, ...]:
        name = ENDPOINTS.name if len(entry) > 2 else NODE_PORT_ENDPOINTS.name
        found = (self._elements.get(ElementKey(name, (*entry, offset + index))) for index in range(count))
        return tuple(target for target in found if isinstance(target, tuple))

    def _take_changes(self) -> TableChanges:
        changes: dict[TableName, dict[str, Rules | None]] = {"nat": {}, "filter": {}}
        for table, trees in self._trees.items():
            for tree in trees.values():
                changes[table].update(tree.take_touched())
        touched, self._touched_chains = self._touched_chains, set()
        changes["nat"].update({name: self._entry_chains.get(name) for name in touched})
        return changes
