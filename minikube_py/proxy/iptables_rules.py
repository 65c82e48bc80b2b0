"""From the elements of one entry to iptables rules, in the very words that `iptables-save` prints.

Where nftables looks an endpoint up in a map, iptables gets a chain for each entry that translates directly: the first
of n endpoints with probability 1/n, the next with 1/(n-1), the last always. Only matches and targets of iptables
1.4.21 and kernel 3.10 are used. As the words are those of `iptables-save` (same in 1.4.21 and 1.8), what stands in
the kernel can be compared as text.

Session affinity: `recent` keeps a list of clients for each endpoint; the chain asks all lists first. A list holds
xt_recent's `ip_list_tot` clients (100 by default); beyond that the longest silent one is forgotten.
"""

from base64 import b32encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from minikube_py.proxy.chains import ChainSpec
from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.iptables_tree import Rules
from minikube_py.proxy.ruleset import Key

Chains = Mapping[str, Rules]
Target = tuple[str, int]
PREFIX = "MKP"
NAME_BYTES_MAX = 28
"""Longest name of a chain in kernel 3.10."""
_PROBABILITY_STEPS = 1 << 31
"""The kernel keeps a probability as a fraction of this."""


@dataclass(frozen=True, slots=True)
class EntryTargets:
    """Where an entry leads: its dispatch chain and the endpoints that it chooses from."""

    spec: ChainSpec
    everywhere: tuple[Target, ...]
    local: tuple[Target, ...] = ()


def entry_chain(key: Key) -> str:
    """Return the name of the chain of an entry: (address, protocol, port), or (protocol, port) of a node port."""
    return f"{PREFIX}-S-{_digest(key)}"


def _everywhere_chain(key: Key) -> str:
    return f"{PREFIX}-A-{_digest(key)}"


def entry_chain_names(key: Key) -> tuple[str, ...]:
    """Return the names of all chains that an entry may have."""
    return (entry_chain(key), _everywhere_chain(key))


def entry_chains(key: Key, targets: EntryTargets, config: ProxyConfig) -> Chains:
    """Return the chains of an entry with their rules; upstream's KUBE-SVC, KUBE-EXT and KUBE-SVL in one."""
    protocol, spec = str(key[-2]), targets.spec
    mark = f"-j MARK --set-xmark {config.masquerade_mark:#x}/{config.masquerade_mark:#x}"
    if spec.local is None:
        marks = () if spec.entry == "cluster" else (mark,)
        return {entry_chain(key): (*marks, *_choose(key, protocol, targets.everywhere, spec.affinity_s))}
    from_host, everywhere = "-m addrtype --src-type LOCAL", _everywhere_chain(key)
    return {
        everywhere: _choose(key, protocol, targets.everywhere, spec.affinity_s),
        entry_chain(key): (
            f"-s {config.cluster_cidr} -g {everywhere}",
            f"{from_host} {mark}",
            f"{from_host} -g {everywhere}",
            # Without a local endpoint nothing is translated, and the filter table drops the packet.
            *_choose(key, protocol, targets.local, spec.affinity_s),
        ),
    }


def entry_rules(key: Key, ranges: Sequence[str], *, restricted: bool) -> Rules:
    """Return the leaf that leads into an entry's chain, for the sources that may enter."""
    match, chain = entry_match(key), entry_chain(key)
    if not restricted:
        return (f"{match} -g {chain}",)
    sources = ("" if network == "0.0.0.0/0" else f"-s {network} " for network in sorted(ranges))
    return tuple(f"{source}{match} -g {chain}" for source in sources)


def entry_match(key: Key) -> str:
    """Return the match of packets to an entry."""
    protocol, port = key[-2:]
    match = f"-p {protocol} -m {protocol} --dport {port}"
    return f"-d {key[0]}/32 {match}" if len(key) > 2 else match


def _choose(key: Key, protocol: str, targets: Sequence[Target], affinity_s: int) -> Rules:
    remembered: list[str] = []
    chosen: list[str] = []
    for place, (address, port) in enumerate(targets):
        translate = f"-j DNAT --to-destination {address}:{port}"
        left = len(targets) - place
        random = f"-m statistic --mode random --probability {probability(left)} " if left > 1 else ""
        if affinity_s:
            of_client = f"--name {PREFIX}-{_digest((*key, address, port))} --mask 255.255.255.255 --rsource"
            again = f"-m recent --update --seconds {affinity_s} --reap {of_client}"
            remembered.append(f"-p {protocol} {again} {translate}")
            random += f"-m recent --set {of_client} "
        chosen.append(f"-p {protocol} {random}{translate}")
    return (*remembered, *chosen)


def probability(choices: int) -> str:
    """Return 1/choices as it is printed after the kernel's rounding."""
    return f"{round(_PROBABILITY_STEPS / choices) / _PROBABILITY_STEPS:.11f}"


def _digest(key: Key) -> str:
    text = " ".join(str(part) for part in key)
    return b32encode(sha256(text.encode()).digest()).decode()[:16]
