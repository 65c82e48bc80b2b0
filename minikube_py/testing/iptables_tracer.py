"""Where a new connection would go through iptables chains, read from the rules' own words.

It knows nothing of how the chains came to be: it follows `-j` and `-g`, matches what a packet has, and takes both
ways where a match depends on chance (`statistic`) or on the past (`recent`). So it can contradict `packet_tracer`,
which interprets the intermediate form. A word that it does not know is an error.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network

from minikube_py.testing.packet_tracer import Packet, Target, Way

Chains = Mapping[str, tuple[str, ...]]
_IGNORED_VALUES = frozenset({"--mode", "--probability", "--seconds", "--name", "--reject-with", "--mask"})
_IGNORED = frozenset({"--rsource", "--set", "--reap", "--random-fully"})
STEPS_MAX = 500


@dataclass(frozen=True, slots=True)
class _State:
    packet: Packet
    is_translated: bool = False
    mark: int = 0


@dataclass(slots=True)
class _Rule:
    matches: bool = True
    by_chance: bool = False
    target: str = ""
    goto: bool = False
    destination: str = ""
    xmark: str = ""


@dataclass(slots=True)
class _Walk:
    """What a walk through a table came to."""

    verdict: str = ""
    targets: set[tuple[Target, int]] = field(default_factory=set)
    """Endpoint and mark of every translation that may happen."""
    mark: int = 0
    steps: int = 0


@dataclass(frozen=True, slots=True)
class IptablesTracer:
    """The chains of one node, and its addresses."""

    nat: Chains
    filter: Chains
    node_addresses: frozenset[str] = frozenset()

    def trace(self, packet: Packet) -> Way:
        """Return what becomes of a packet."""
        walk = _Walk()
        self._follow(self.nat, "MKP-SERVICES", _State(packet), walk)
        if not walk.targets:
            refusal = _Walk()
            self._follow(self.filter, "MKP-REFUSE", _State(packet), refusal)
            return Way({"REJECT": "rejected", "DROP": "dropped", "": "untouched"}[refusal.verdict])  # type: ignore[arg-type]
        masqueraded = frozenset(target for target, mark in walk.targets if self._is_masqueraded(packet, target, mark))
        return Way("sent", frozenset(target for target, _ in walk.targets), masqueraded, walk.verdict != "DNAT")

    def steps(self, packet: Packet) -> int:
        """Return how many rules a packet meets before its way is decided in the nat table."""
        walk = _Walk()
        self._follow(self.nat, "MKP-SERVICES", _State(packet), walk)
        return walk.steps

    def _is_masqueraded(self, packet: Packet, target: Target, mark: int) -> bool:
        sent = replace(packet, destination=target[0], port=target[1])
        walk = _Walk(mark=mark)
        self._follow(self.nat, "MKP-POST", _State(sent, is_translated=True, mark=mark), walk)
        return walk.verdict == "MASQUERADE"

    def _follow(self, chains: Chains, chain: str, state: _State, walk: _Walk) -> bool:
        """Walk a chain; True when the packet's way is decided."""
        for text in chains[chain]:
            walk.steps += 1
            assert walk.steps < STEPS_MAX, f"{chain}: a loop, or a list where a tree should be"
            rule = self._read(text.split(), replace(state, mark=walk.mark))
            if not rule.matches or rule.target == "RETURN":
                if rule.matches:
                    return False
                continue
            if rule.target in chains:
                if self._follow(chains, rule.target, state, walk):
                    return True
                if rule.goto:
                    return False
            elif rule.target == "MARK":
                value, _, mask = rule.xmark.partition("/")
                walk.mark = walk.mark & ~int(mask, 16) ^ int(value, 16)
            else:
                if rule.target == "DNAT":
                    address, _, port = rule.destination.partition(":")
                    walk.targets.add(((address, int(port)), walk.mark))
                if not rule.by_chance:
                    walk.verdict = rule.target
                    return True
        return False

    def _read(self, words: list[str], state: _State) -> _Rule:
        rule, rest, negated = _Rule(), iter(words), False
        for word in rest:
            if word == "!":
                negated = True
                continue
            matches = self._read_word(word, rest, rule, state)
            rule.matches = rule.matches and matches is not negated
            negated = False
        return rule

    def _read_word(self, word: str, rest: Iterator[str], rule: _Rule, state: _State) -> bool:
        if word == "--update":
            rule.by_chance = True
        if word in _IGNORED or word == "--update":
            return True
        value = next(rest)
        if word == "-m":
            rule.by_chance = rule.by_chance or value == "statistic"
        elif word in {"-j", "-g"}:
            rule.target, rule.goto = value, word == "-g"
        elif word == "--to-destination":
            rule.destination = value
        elif word == "--set-xmark":
            rule.xmark = value
        elif word not in _IGNORED_VALUES:
            return self._matches(word, value, state)
        return True

    def _matches(self, word: str, value: str, state: _State) -> bool:
        packet = state.packet
        if word in {"-s", "-d"}:
            return IPv4Address(packet.source if word == "-s" else packet.destination) in IPv4Network(value)
        if word in {"--src-type", "--dst-type"}:
            assert value == "LOCAL"
            address = packet.source if word == "--src-type" else packet.destination
            return address in self.node_addresses or address.startswith("127.")
        if word == "--dport":
            first, _, last = value.partition(":")
            return int(first) <= packet.port <= int(last or first)
        if word == "--mark":
            mark, _, mask = value.partition("/")
            return state.mark & int(mask, 16) == int(mark, 16)
        has = {"-p": packet.protocol, "--ctstate": "DNAT" if state.is_translated else "NEW"}
        return value == has[word]
