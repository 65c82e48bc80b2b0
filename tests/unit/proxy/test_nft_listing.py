import copy

import pytest

from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.nft_listing import ListingError, parse_listing
from minikube_py.proxy.ruleset import MAPS, ElementKey, Ruleset
from minikube_py.proxy.skeleton import render_skeleton

CONFIG = ProxyConfig("node-1")


def a_listing() -> dict[str, list[dict[str, object]]]:
    """What nft prints for the skeleton, one dispatch chain and an element of each kind."""
    entries: list[dict[str, object]] = []
    for spec in MAPS.values():
        kind = "set" if spec.data == "member" else "map"
        entries.append({kind: {"name": spec.name, "table": CONFIG.table}})
    for line in (*render_skeleton(CONFIG), "add chain ip t cluster-1", *["add rule ip t cluster-1 x"] * 2):
        words = line.split()
        if words[1] == "chain":
            entries.append({"chain": {"name": words[4]}})
        elif words[1] == "rule":
            entries.append({"rule": {"chain": words[4], "expr": []}})
    elements = {
        "services": [[{"concat": ["10.96.0.1", "tcp", 443]}, {"goto": {"target": "cluster-1"}}]],
        "endpoints": [[{"concat": ["10.96.0.1", "tcp", 443, 0]}, {"concat": ["192.0.2.1", 6443]}]],
        "no-endpoints": [[{"concat": ["10.96.0.2", "udp", 53]}, {"drop": None}]],
        "hairpin": [{"concat": ["10.244.0.2", "10.244.0.2"]}],
        "cluster-ips": ["10.96.0.1"],
    }
    for entry in entries:
        for kind in ("map", "set"):
            if kind in entry and entry[kind]["name"] in elements:
                entry[kind]["elem"] = elements[entry[kind]["name"]]
    return {"nftables": entries}


def test_every_kind_of_element_is_read():
    assert parse_listing(a_listing(), CONFIG) == Ruleset(
        {
            ElementKey("services", ("10.96.0.1", "tcp", 443)): "goto cluster-1",
            ElementKey("endpoints", ("10.96.0.1", "tcp", 443, 0)): ("192.0.2.1", 6443),
            ElementKey("no-endpoints", ("10.96.0.2", "udp", 53)): "drop",
            ElementKey("hairpin", ("10.244.0.2", "10.244.0.2")): None,
            ElementKey("cluster-ips", ("10.96.0.1",)): None,
        },
        frozenset({"cluster-1"}),
    )


def test_a_table_of_other_settings_is_not_ours():
    assert parse_listing(a_listing(), ProxyConfig("node-1", cluster_cidr="10.245.0.0/16")) is None


@pytest.mark.parametrize("kind", ["rule", "map", "set"])
def test_a_table_that_lost_a_part_is_made_anew(kind):
    listing = a_listing()
    lost = next(entry for entry in listing["nftables"] if kind in entry)
    listing["nftables"].remove(lost)

    assert parse_listing(listing, CONFIG) is None


def test_an_added_rule_is_noticed_too():
    listing = a_listing()
    listing["nftables"].append({"rule": {"chain": "dispatch", "expr": []}})

    assert parse_listing(listing, CONFIG) is None


def test_an_unknown_verdict_is_an_error():
    listing = copy.deepcopy(a_listing())
    services = next(e["map"] for e in listing["nftables"] if e.get("map", {}).get("name") == "services")
    services["elem"] = [[{"concat": ["10.96.0.1", "tcp", 443]}, {"accept": None}]]

    with pytest.raises(ListingError, match="services"):
        parse_listing(listing, CONFIG)
