"""Any sequence of changes ends where compiling from nothing ends, and no packet falls through on the way."""

from hypothesis import given, settings
from hypothesis import strategies as st

from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.endpoints_map import merge_slices
from minikube_py.proxy.programs import CompileFacts, compile_service
from minikube_py.proxy.ruleset import ElementKey, Ruleset, Transaction
from minikube_py.proxy.ruleset_diff import TableState
from minikube_py.proxy.service_map import parse_service
from minikube_py.proxy.topology import NodeFacts
from minikube_py.testing.compiled_ruleset import compile_ruleset
from minikube_py.testing.fake_nft import FakeNft
from minikube_py.testing.packet_tracer import Packet, Tracer
from minikube_py.testing.service_builders import a_service, a_slice, an_endpoint

FACTS = CompileFacts(NodeFacts("node-1"))
NAMES = ("a", "b", "c")
CONFIG = ProxyConfig("node-1")


@st.composite
def services(draw):
    """Return Service and EndpointSlice of each name, some of them absent."""
    world = {}
    for n, name in enumerate(NAMES):
        if not draw(st.booleans()):
            continue
        spec = draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "externalTrafficPolicy": st.just("Local"),
                    "internalTrafficPolicy": st.just("Local"),
                    "sessionAffinity": st.just("ClientIP"),
                    # The same for all: claims on one entry must be settled.
                    "externalIPs": st.just(["192.0.2.50"]),
                },
            )
        )
        port = {"name": "p", "port": 80, "protocol": draw(st.sampled_from(["TCP", "UDP"]))}
        if draw(st.booleans()):
            port["nodePort"] = 30080 + n
        service = a_service(name, cluster_ip=f"10.96.1.{n}", ports=(port,), type="NodePort", **spec)
        addresses = draw(st.lists(st.integers(2, 6), unique=True, max_size=4))
        endpoints = [
            an_endpoint(f"10.244.0.{a}", node=draw(st.sampled_from(["node-1", "node-2"]))) for a in addresses
        ]
        world[name] = (service, a_slice(*endpoints, service=name, ports=({"name": "p", "port": 8080},)))
    return world


def parsed(pair):
    service, endpoint_slice = pair
    return parse_service(service), merge_slices((endpoint_slice,), "node-1")


def want_all(state: TableState, world) -> None:
    for name in NAMES:
        program = compile_service(*parsed(world[name]), FACTS) if name in world else None
        state.want(f"default/{name}", program.elements if program else {})


def step(state: TableState, nft: FakeNft, now_s: float) -> Transaction:
    transaction = state.plan(now_s)
    if not transaction.is_empty:
        nft.apply_nowait(transaction)
    state.committed(transaction, now_s)
    return transaction


def compiled(world) -> Ruleset:
    return compile_ruleset([parsed(world[name]) for name in NAMES if name in world], FACTS)


@settings(max_examples=60)
@given(st.lists(services(), min_size=1, max_size=5), st.data())
def test_applying_differences_equals_compiling_from_nothing(worlds, data):
    state, nft = TableState(surplus_delay_s=1), FakeNft()
    now_s = 0.0
    for world in worlds:
        want_all(state, world)
        now_s += data.draw(st.sampled_from([0.0, 0.4, 2.0]))
        step(state, nft, now_s)

    while (due_s := state.next_due_s()) is not None:
        step(state, nft, due_s)

    assert nft.table is not None
    assert nft.table.elements == compiled(worlds[-1]).elements
    assert state.plan(now_s + 100).is_empty


@settings(max_examples=60)
@given(st.lists(services(), min_size=2, max_size=5))
def test_a_reader_between_two_look_ups_always_finds_an_endpoint(worlds):
    """Whoever has the old verdict and looks up in the new map within a second gets through."""
    state, nft = TableState(surplus_delay_s=1), FakeNft()
    before = None
    for n, world in enumerate(worlds):
        want_all(state, world)
        step(state, nft, n * 0.1)
        assert nft.table is not None
        if before is not None:
            verdicts = {k: v for k, v in before.elements.items() if k.map in {"services", "node-ports"}}
            mixed = {
                k: v for k, v in nft.table.elements.items() if k.map not in {"services", "node-ports"}
            } | verdicts
            tracer = Tracer(Ruleset(mixed, nft.table.chains), CONFIG, frozenset({"192.0.2.1"}))
            for key in verdicts:
                address = str(key.key[0]) if key.map == "services" else "192.0.2.1"
                packet = Packet("10.244.0.99", address, int(key.key[-1]), str(key.key[-2]))
                assert not tracer.trace(packet).has_gaps
        before = nft.table


def test_a_start_touches_nothing_that_is_right():
    world = {"a": (a_service("a"), a_slice(an_endpoint("10.244.0.2"), service="a"))}
    state = TableState(surplus_delay_s=1)
    state.observe(compiled(world))
    want_all(state, world)

    assert state.plan(0).is_empty


def test_a_missing_table_is_made_even_without_services():
    state = TableState(surplus_delay_s=1)
    state.observe(None)

    assert state.plan(0) == Transaction(replace_table=True)


def test_what_others_changed_is_seen_and_mended():
    world = {"a": (a_service("a"), a_slice(an_endpoint("10.244.0.2"), service="a"))}
    right = compiled(world)
    state = TableState(surplus_delay_s=1)
    state.observe(right)
    want_all(state, world)
    verdict = next(key for key in right.elements if key.map == "services")
    foreign = ElementKey("cluster-ips", ("10.96.9.9",))
    meddled = Ruleset({k: v for k, v in right.elements.items() if k != verdict} | {foreign: None}, right.chains)

    assert state.differences(right) == ()
    assert set(state.differences(meddled)) == {verdict, foreign}
    state.observe(meddled)
    transaction = state.plan(0)
    assert transaction.add_elements == ((verdict, right.elements[verdict]),)
    assert transaction.delete_elements == (foreign,)


def test_a_surplus_endpoint_that_is_wanted_again_stays():
    one = {"a": (a_service("a"), a_slice(an_endpoint("10.244.0.2"), service="a"))}
    two = {"a": (a_service("a"), a_slice(an_endpoint("10.244.0.2"), an_endpoint("10.244.0.3"), service="a"))}
    state, nft = TableState(surplus_delay_s=1), FakeNft()
    for now_s, world in ((0.0, two), (0.1, one), (0.2, two)):
        want_all(state, world)
        step(state, nft, now_s)

    assert state.next_due_s() is None
    assert step(state, nft, 5).is_empty
    assert nft.table is not None
    assert nft.table.elements == compiled(two).elements


def test_a_chain_goes_when_it_was_unused_at_two_looks():
    world = {"a": (a_service("a"), a_slice(an_endpoint("10.244.0.2"), service="a"))}
    state, nft = TableState(surplus_delay_s=1), FakeNft()
    want_all(state, world)
    step(state, nft, 0)
    want_all(state, {})
    step(state, nft, 1)
    step(state, nft, 3)

    assert state.plan_unused_chains().is_empty
    sweep = state.plan_unused_chains()
    assert sweep == Transaction(delete_chains=("cluster-1",))
    nft.apply_nowait(sweep)
    state.committed(sweep, 4)
    want_all(state, world)
    assert step(state, nft, 5).add_chains == ("cluster-1",)
