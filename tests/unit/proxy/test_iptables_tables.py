"""Chains against the intermediate form that they are made of: the same verdict for every packet."""

from random import Random

import pytest

from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.iptables_rules import NAME_BYTES_MAX
from minikube_py.proxy.iptables_tables import ImpossibleChangeError, IptablesTables
from minikube_py.proxy.programs import CompileFacts, compile_service
from minikube_py.proxy.ruleset import ElementKey, Ruleset, Transaction
from minikube_py.proxy.ruleset_diff import TableState
from minikube_py.proxy.topology import NodeFacts
from minikube_py.testing.compiled_ruleset import compile_ruleset
from minikube_py.testing.iptables_tracer import IptablesTracer
from minikube_py.testing.packet_tracer import Packet, Tracer
from minikube_py.testing.random_services import (
    BRIDGE_IP,
    NODE_IP,
    OTHER_OUTSIDE,
    OUTSIDE,
    packets_to,
    random_services,
)

CONFIG = ProxyConfig("node-1")
FACTS = CompileFacts(NodeFacts("node-1"), frozenset(CONFIG.node_local_vips))
ADDRESSES = frozenset({NODE_IP, BRIDGE_IP, "127.0.0.1"})


def new_tables() -> IptablesTables:
    return IptablesTables(CONFIG, "MASQUERADE --random-fully")


def built(ruleset: Ruleset) -> IptablesTables:
    tables = new_tables()
    tables.change(Transaction(add_chains=tuple(ruleset.chains), add_elements=tuple(ruleset.elements.items())))
    return tables


def tracer_of(tables: IptablesTables) -> IptablesTracer:
    return IptablesTracer(tables.chains("nat"), tables.chains("filter"), ADDRESSES)


@pytest.mark.parametrize("seed", range(12))
def test_every_packet_of_a_random_program_meets_the_verdict_of_the_model(seed):
    rng = Random(seed)
    services = random_services(rng, rng.choice((1, 5, 30)))
    ruleset = compile_ruleset(services, FACTS)
    model, rules = Tracer(ruleset, CONFIG, ADDRESSES), tracer_of(built(ruleset))

    for packet in packets_to(services, rng):
        assert rules.trace(packet) == model.trace(packet), packet


@pytest.mark.parametrize("seed", range(4))
def test_changes_one_after_the_other_lead_to_the_chains_that_one_change_makes(seed):
    rng = Random(seed)
    tables, state, now_s = new_tables(), TableState(1.0), 0.0
    kernel = {table: tables.chains(table) for table in ("nat", "filter")}
    state.observe(Ruleset({}, frozenset()))
    for _ in range(5):
        for number, (ports, endpoints) in enumerate(random_services(rng, 25)):
            program = compile_service(ports if rng.random() < 0.8 else (), endpoints, FACTS)
            if rng.random() < 0.4:
                state.want(f"service {number}", program.elements)
        now_s += 0.7
        transaction = state.plan(now_s)
        changes, _ = tables.change(transaction)
        state.committed(transaction, now_s)
        for table, changed in changes.items():
            for name, rules in changed.items():
                kernel[table].pop(name, None) if rules is None else kernel[table].update({name: rules})
        fresh = built(tables.ruleset())
        assert all(kernel[table] == tables.chains(table) == fresh.chains(table) for table in kernel)


def test_a_change_taken_back_leaves_every_chain_as_it_was():
    services = random_services(Random(3), 20)
    tables = built(compile_ruleset(services[:15], FACTS))
    before = {table: tables.chains(table) for table in ("nat", "filter")}, tables.ruleset().elements.copy()
    state = TableState(0.0)
    state.observe(tables.ruleset())
    for number, (ports, endpoints) in enumerate(services[5:]):
        state.want(f"{number}", compile_service(ports, endpoints, FACTS).elements)

    _, undo = tables.change(state.plan(1.0))
    assert tables.chains("nat") != before[0]["nat"]
    tables.change(undo)

    assert ({table: tables.chains(table) for table in ("nat", "filter")}, tables.ruleset().elements) == before


def test_a_packet_meets_few_rules_among_thousands_of_services_and_a_change_rewrites_few_chains():
    elements = {}
    for n in range(1000):
        address = f"10.96.{n // 250}.{n % 250 + 1}"
        elements[ElementKey("services", (address, "tcp", 80))] = "goto cluster-1"
        elements[ElementKey("endpoints", (address, "tcp", 80, 0))] = ("10.244.0.2", 8080)
    tables = built(Ruleset(elements, frozenset({"cluster-1"})))

    assert tracer_of(tables).steps(Packet("10.244.0.2", "10.96.3.249", 80)) < 60
    changed = ElementKey("endpoints", ("10.96.3.249", "tcp", 80, 0))
    change = Transaction(delete_elements=(changed,), add_elements=((changed, ("10.244.0.3", 8080)),))
    changes, _ = tables.change(change)
    assert sum(len(chains) for chains in changes.values()) <= 2


def test_a_load_balancers_address_is_open_to_its_source_ranges_alone():
    entry = ("203.0.113.200", "tcp", 80)
    elements = {
        ElementKey("services", entry): "goto external-1",
        ElementKey("endpoints", (*entry, 0)): ("10.244.1.2", 8080),
        ElementKey("restricted", entry): None,
        ElementKey("source-ranges", (*entry, f"{OUTSIDE}/32")): None,
    }
    rules = tracer_of(built(Ruleset(elements, frozenset({"external-1"}))))

    assert rules.trace(Packet(OUTSIDE, *entry[::2])).end == "sent"
    assert rules.trace(Packet(OTHER_OUTSIDE, *entry[::2])).end == "dropped"


def test_names_of_chains_fit_into_an_old_kernel():
    tables = built(compile_ruleset(random_services(Random(1), 60), FACTS))

    assert max(len(name) for table in ("nat", "filter") for name in tables.chains(table)) <= NAME_BYTES_MAX


def test_what_nftables_would_refuse_is_refused_and_nothing_taken():
    tables = new_tables()
    lost = (ElementKey("services", ("10.96.0.1", "tcp", 1)), "goto cluster-9")
    with pytest.raises(ImpossibleChangeError, match="chain cluster-9"):
        tables.change(Transaction(add_elements=(lost,)))

    assert tables.ruleset() == Ruleset({}, frozenset())
