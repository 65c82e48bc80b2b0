"""What `nft -j list table` says, as a Ruleset: the truth at start, after an error and at each verification."""

from collections.abc import Mapping
from ipaddress import IPv4Address, summarize_address_range
from typing import Any

from minikube_py.proxy.affinity import parse_identity
from minikube_py.proxy.chains import chain_rules, parse_chain_name
from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.ruleset import MAPS, Data, ElementKey, Key, Ruleset
from minikube_py.proxy.skeleton import mark_chain, render_skeleton


class ListingError(ValueError):
    """The listing holds an element that we would never have written."""


def parse_listing(document: Mapping[str, Any], config: ProxyConfig) -> Ruleset | None:
    """Return what stands in the table; None when its skeleton is not this version's, or rules are missing in it.

    Rules are counted, not compared: nft prints them otherwise than they were written.

    Raises:
        ListingError: an element has an unknown shape.
    """
    entries = document.get("nftables") or ()
    chains = {entry["chain"]["name"] for entry in entries if "chain" in entry}
    maps = {entry[kind]["name"]: entry[kind] for entry in entries for kind in ("map", "set") if kind in entry}
    rule_counts: dict[str, int] = {}
    for entry in entries:
        if "rule" in entry:
            chain = entry["rule"]["chain"]
            rule_counts[chain] = rule_counts.get(chain, 0) + 1
    dispatch = {name: spec for name in chains if (spec := parse_chain_name(name)) is not None}
    expected = _skeleton_rule_counts(config)
    expected.update({name: len(chain_rules(spec)) for name, spec in dispatch.items()})
    if mark_chain(config) not in chains or rule_counts != expected or maps.keys() != MAPS.keys():
        return None
    elements = {
        ElementKey(name, _complete(name, _parse_key(raw_key))): data
        for name, found in maps.items()
        if MAPS[name].data != "memory"
        for raw_key, data in (_split(name, raw) for raw in found.get("elem") or ())
    }
    return Ruleset(elements, frozenset(dispatch))


def _skeleton_rule_counts(config: ProxyConfig) -> dict[str, int]:
    counts: dict[str, int] = {}
    for line in render_skeleton(config):
        if line.startswith("add rule "):
            chain = line.split(" ", 5)[4]
            counts[chain] = counts.get(chain, 0) + 1
    return counts


def _split(map_name: str, raw: Any) -> tuple[Any, Data]:
    """Return the key part and the data of one printed element."""
    if MAPS[map_name].data == "member":
        return raw, None
    raw_key, raw_data = raw
    if MAPS[map_name].data == "identity":
        return raw_key, parse_identity(raw_data)
    if "drop" in raw_data:
        return raw_key, "drop"
    if "goto" in raw_data:
        return raw_key, f"goto {raw_data['goto']['target']}"
    if "concat" in raw_data:
        address, port = raw_data["concat"]
        return raw_key, (str(address), int(port))
    raise ListingError(f"element of {map_name}: {raw}")


def _complete(map_name: str, key: Key) -> Key:
    """Write a network of one address as a network, where nft prints the address alone, and identities as numbers."""
    if "identity" in MAPS[map_name].key:
        return (*key[:-1], parse_identity(str(key[-1])))
    if "network" in MAPS[map_name].key and "/" not in str(key[-1]):
        return (*key[:-1], f"{key[-1]}/32")
    return key


def _parse_key(raw: Any) -> Key:
    parts = raw["concat"] if isinstance(raw, dict) else [raw]
    return tuple(_parse_network(part) if isinstance(part, dict) else part for part in parts)


def _parse_network(raw: Mapping[str, Any]) -> str:
    """Return a network; nft prints one as a prefix, as a range where it is everything."""
    if "prefix" in raw:
        return f"{raw['prefix']['addr']}/{raw['prefix']['len']}"
    if "range" in raw:
        first, last = (IPv4Address(text) for text in raw["range"])
        return str(next(summarize_address_range(first, last)))
    raise ListingError(f"part of a key: {raw}")
