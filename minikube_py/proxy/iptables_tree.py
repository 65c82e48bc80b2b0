"""Radix dispatch for iptables: chains that find one of thousands of addresses or ports in a few steps.

iptables has no maps; a plain list of Services costs each new connection a walk over all of them. A tree of chains,
four bits a level and at most `LEAVES_MAX` rules in an undivided chain, costs the same few rules at any number
(measured: design notes 4, as fast as nftables maps at 10,000). A key has 48 bits: 32 of the address, then 16 of the
port. The shape depends on the set of leaves alone, never on their history, and a change of one leaf rewrites only the
chains on its path.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import NamedTuple

LEAVES_MAX = 16
BITS_PER_LEVEL = 4
ADDRESS_BITS = 32
KEY_BITS = 48
PORT_BITS = KEY_BITS - ADDRESS_BITS
ANY_PROTOCOL = ""
"""Protocol of a leaf that is about an address alone."""


class LeafKey(NamedTuple):
    """Where a leaf stands: 48 bits and its protocol."""

    bits: int
    protocol: str


Rules = tuple[str, ...]
"""Rules without the chain's name in front, as `iptables-save` prints them."""


def leaf_key(address: str, protocol: str = ANY_PROTOCOL, port: int = 0) -> LeafKey:
    """Return the key of an address and port; the address is empty for a node port."""
    return LeafKey((int(IPv4Address(address)) if address else 0) << PORT_BITS | port, protocol)


class _Node:
    """One chain: undivided with `leaves`, or divided (`leaves` None) with `children` by their prefix."""

    __slots__ = ("children", "count", "leaves", "length", "name", "prefix")

    def __init__(self, name: str, prefix: int, length: int) -> None:
        self.name = name
        self.prefix = prefix
        self.length = length
        self.count = 0
        self.leaves: dict[LeafKey, Rules] | None = {}
        self.children: dict[int, _Node] = {}


class RadixTree:
    """One tree; its root chain exists always, even empty."""

    def __init__(self, name: str, root_bits: int = 0, root_prefix: int = 0) -> None:
        self._name = name
        self._root = _Node(name, root_prefix, root_bits)
        self._nodes = {name: self._root}
        self._touched = {name}

    def put(self, key: LeafKey, rules: Rules) -> None:
        """Set a leaf's rules; none takes it away."""
        if not rules:
            self._remove(key)
            return
        node, path = self._descend(key)
        assert node.leaves is not None
        is_new = key not in node.leaves
        node.leaves[key] = rules
        self._touched.add(node.name)
        if is_new:
            for passed in path:
                passed.count += 1
                # A divided chain names the protocols below it once its key has become a port range.
                self._touched.add(passed.name)
            self._split(node)

    def take_touched(self) -> dict[str, Rules | None]:
        """Return the chains that changed since the last call: their rules, or None where the chain is gone."""
        touched, self._touched = self._touched, set()
        return {name: self._render(self._nodes[name]) if name in self._nodes else None for name in sorted(touched)}

    def chains(self) -> dict[str, Rules]:
        """Return all chains with their rules."""
        return {name: self._render(node) for name, node in self._nodes.items()}

    def _descend(self, key: LeafKey) -> tuple[_Node, list[_Node]]:
        """Return the undivided chain for a key, made if it is missing, and the path to it, itself included."""
        node, path = self._root, [self._root]
        while node.leaves is None:
            node = self._child(node, key)
            path.append(node)
        return node, path

    def _child(self, node: _Node, key: LeafKey) -> _Node:
        """Return the chain for a key below a divided one, made if it is missing."""
        length = _next_length(node.length)
        prefix = _prefix_of(key, length)
        child = node.children.get(prefix)
        if child is None:
            child = _Node(f"{self._name}-{prefix:012x}-{length}", prefix, length)
            node.children[prefix] = self._nodes[child.name] = child
            self._touched.add(child.name)
        return child

    def _split(self, node: _Node) -> None:
        if node.leaves is None or len(node.leaves) <= LEAVES_MAX or node.length == KEY_BITS:
            return
        leaves, node.leaves, node.count = node.leaves, None, 0
        self._touched.add(node.name)
        for key, rules in leaves.items():
            child = self._child(node, key)
            assert child.leaves is not None
            child.leaves[key] = rules
            child.count += 1
            node.count += 1
        for child in node.children.values():
            self._split(child)

    def _remove(self, key: LeafKey) -> None:
        path = self._existing_path(key)
        if path is None:
            return
        last = path[-1]
        assert last.leaves is not None
        del last.leaves[key]
        for node in path:
            node.count -= 1
            self._touched.add(node.name)
        for parent, node in zip(path[-2::-1], path[:0:-1], strict=True):
            if node.count == 0:
                del parent.children[node.prefix]
                self._forget(node)
        for node in path:
            if node.leaves is None and node.count <= LEAVES_MAX:
                merged = dict(_leaves_below(node))
                for child in node.children.values():
                    self._forget(child)
                node.children, node.leaves = {}, merged
                return

    def _existing_path(self, key: LeafKey) -> list[_Node] | None:
        node, path = self._root, [self._root]
        while node.leaves is None:
            child = node.children.get(_prefix_of(key, _next_length(node.length)))
            if child is None:
                return None
            node = child
            path.append(node)
        return path if key in node.leaves else None

    def _forget(self, node: _Node) -> None:
        self._nodes.pop(node.name, None)
        self._touched.add(node.name)
        for child in node.children.values():
            self._forget(child)

    def _render(self, node: _Node) -> Rules:
        if node.leaves is not None:
            return tuple(rule for key in sorted(node.leaves) for rule in node.leaves[key])
        return tuple(rule for prefix in sorted(node.children) for rule in _jumps(node.children[prefix]))


def _next_length(length: int) -> int:
    """Return the length of the children's prefixes: a level never crosses from address to port."""
    longer = length + BITS_PER_LEVEL
    return min(longer, ADDRESS_BITS) if length < ADDRESS_BITS else longer


def _prefix_of(key: LeafKey, length: int) -> int:
    return key.bits >> (KEY_BITS - length) << (KEY_BITS - length)


def _jumps(child: _Node) -> Rules:
    if child.length <= ADDRESS_BITS:
        return (f"-d {IPv4Address(child.prefix >> PORT_BITS)}/{child.length} -g {child.name}",)
    first = child.prefix & ((1 << PORT_BITS) - 1)
    last = first + (1 << (KEY_BITS - child.length)) - 1
    ports = str(first) if first == last else f"{first}:{last}"
    protocols = sorted({key.protocol for key, _ in _leaves_below(child)})
    return tuple(f"-p {protocol} -m {protocol} --dport {ports} -g {child.name}" for protocol in protocols)


def _leaves_below(node: _Node) -> Iterator[tuple[LeafKey, Rules]]:
    if node.leaves is not None:
        yield from node.leaves.items()
    for child in node.children.values():
        yield from _leaves_below(child)
