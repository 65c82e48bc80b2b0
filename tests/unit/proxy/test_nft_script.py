import pytest
from hypothesis import given
from hypothesis import strategies as st

from minikube_py.proxy.affinity import identity_of
from minikube_py.proxy.chains import ChainSpec, chain_rules
from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.nft_script import (
    ELEMENTS_PER_LINE_MAX,
    render_removal,
    render_rule,
    render_script,
)
from minikube_py.proxy.ruleset import MAPS, ElementKey, Transaction
from minikube_py.testing.nft_script_parser import ScriptError, parse_script

CONFIG = ProxyConfig("node-1")
ADDRESS = st.integers(0, 255).map(lambda n: f"10.244.0.{n}")
IDENTITY = st.tuples(ADDRESS, st.integers(1, 65535)).map(lambda target: identity_of(target, 0))
FIELDS = {
    "network": st.sampled_from(["10.0.0.0/8", "192.0.2.1/32", "0.0.0.0/0"]),
    "address": ADDRESS,
    "protocol": st.sampled_from(["tcp", "udp", "sctp"]),
    "port": st.integers(1, 65535),
    "index": st.integers(0, 70000),
    "identity": IDENTITY,
}
CHAIN = st.builds(
    ChainSpec,
    entry=st.sampled_from(["cluster", "external", "node-port"]),
    count=st.integers(1, 9),
    local=st.none() | st.integers(0, 9),
    affinity_s=st.integers(0, 86400),
).map(lambda spec: spec.name)
DATA = {
    "verdict": CHAIN.map(lambda name: f"goto {name}") | st.just("drop"),
    "target": st.tuples(ADDRESS, st.integers(1, 65535)),
    "identity": IDENTITY,
    "member": st.none(),
}
WRITTEN = sorted(name for name, spec in MAPS.items() if spec.data != "memory")


@st.composite
def elements(draw):
    spec = MAPS[draw(st.sampled_from(WRITTEN))]
    key = tuple(draw(FIELDS[field]) for field in spec.key)
    return ElementKey(spec.name, key), draw(DATA[spec.data])


transactions = st.builds(
    Transaction,
    replace_table=st.booleans(),
    add_chains=st.lists(CHAIN, max_size=3).map(tuple),
    delete_elements=st.lists(elements().map(lambda e: e[0]), max_size=5).map(tuple),
    add_elements=st.lists(elements(), max_size=8).map(tuple),
    delete_chains=st.lists(CHAIN, max_size=2).map(tuple),
)


@given(transactions)
def test_parsing_a_rendered_script_gives_the_transaction_back(transaction):
    assert parse_script(render_script(transaction, CONFIG), CONFIG) == transaction


def test_deletions_come_before_additions_and_chains_before_their_use():
    key = ElementKey("services", ("10.96.0.1", "tcp", 443))
    transaction = Transaction(
        add_chains=("cluster-1",), delete_elements=(key,), add_elements=((key, "goto cluster-1"),)
    )

    assert render_script(transaction, CONFIG).splitlines() == [
        "add chain ip minikube-py cluster-1",
        "add rule ip minikube-py cluster-1 dnat ip addr . port to ip daddr . meta l4proto . th dport . "
        "numgen random mod 1 map @endpoints",
        "add rule ip minikube-py cluster-1 drop",
        "delete element ip minikube-py services { 10.96.0.1 . tcp . 443 }",
        "add element ip minikube-py services { 10.96.0.1 . tcp . 443 : goto cluster-1 }",
    ]


def test_long_lists_are_cut():
    adds = tuple((ElementKey("cluster-ips", (f"10.96.{n >> 8}.{n & 255}",)), None) for n in range(2500))
    transaction = Transaction(add_elements=adds)

    script = render_script(transaction, CONFIG)

    assert len(script.splitlines()) == -(-2500 // ELEMENTS_PER_LINE_MAX)
    assert parse_script(script, CONFIG) == transaction


def test_rules_of_local_chains_read_as_meant():
    rules = [render_rule(rule, CONFIG) for rule in chain_rules(ChainSpec("node-port", 3, local=1))]

    key = "meta l4proto . th dport . numgen random mod"
    assert rules == [
        f"ip saddr 10.244.0.0/16 dnat ip addr . port to {key} 3 offset 65536 map @node-port-endpoints",
        "fib saddr type local meta mark set mark or 0x4000 dnat ip addr . port to "
        f"{key} 3 offset 65536 map @node-port-endpoints",
        f"dnat ip addr . port to {key} 1 map @node-port-endpoints",
        "drop",
    ]


def test_rules_of_sticky_chains_read_as_meant():
    again, by_chance, _, _ = (
        render_rule(rule, CONFIG) for rule in chain_rules(ChainSpec("cluster", 3, affinity_s=60))
    )

    entry = "ip daddr . meta l4proto . th dport"
    remember = f"update @affinity {{ ip saddr . {entry} timeout 60s : meta priority }}"
    send = f"dnat ip addr . port to {entry} . meta priority map @affinity-endpoints"
    assert again == f"meta priority set ip saddr . {entry} map @affinity {remember} {send}"
    assert by_chance == (
        f"meta priority set {entry} . numgen random mod 3 map @affinity-choices "
        f"delete @affinity {{ ip saddr . {entry} : meta priority }} {remember} {send}"
    )


@pytest.mark.parametrize(
    "line",
    [
        "flush ruleset",
        "add element ip minikube-py nonsense { 1 }",
        "add element ip minikube-py services { 10.96.0.1 . tcp : drop }",
        "add element ip other services { 10.96.0.1 . tcp . 80 : drop }",
    ],
)
def test_a_line_that_we_would_not_write_is_an_error(line):
    with pytest.raises(ScriptError):
        parse_script(line, CONFIG)


def test_removal_works_without_a_table_too():
    assert render_removal("t") == "add table ip t\ndelete table ip t\n"
