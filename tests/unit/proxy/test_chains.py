import pytest
from hypothesis import given
from hypothesis import strategies as st

from minikube_py.proxy.affinity import BY_ADDRESS
from minikube_py.proxy.chains import (
    Affinity,
    ChainSpec,
    Drop,
    FromPods,
    FromThisHost,
    MarkForMasquerade,
    SendAgain,
    SendAndRemember,
    SendToEndpoint,
    chain_rules,
    parse_chain_name,
)

specs = st.builds(
    ChainSpec,
    entry=st.sampled_from(["cluster", "external", "node-port"]),
    count=st.integers(1, 5000),
    local=st.none() | st.integers(0, 250),
    affinity_s=st.integers(0, 86400),
)


@given(specs)
def test_a_name_says_all_about_its_chain(spec):
    assert parse_chain_name(spec.name) == spec


@given(specs)
def test_every_chain_ends_in_drop(spec):
    assert chain_rules(spec)[-1] == (Drop(),)


@pytest.mark.parametrize(
    "name", ["", "dispatch", "cluster-", "cluster-x", "skeleton-123", "cluster-1-2", "reject-new"]
)
def test_other_chains_are_not_dispatch_chains(name):
    assert parse_chain_name(name) is None


def test_traffic_from_outside_is_marked_unless_its_policy_is_local():
    assert chain_rules(ChainSpec("external", 2))[0][0] == MarkForMasquerade()
    assert isinstance(chain_rules(ChainSpec("cluster", 2))[0][0], SendToEndpoint)

    pods, host, outside, _ = chain_rules(ChainSpec("node-port", 3, local=1))

    assert (pods[0], host[:2]) == (FromPods(), (FromThisHost(), MarkForMasquerade()))
    assert outside == (SendToEndpoint("node-port-endpoints", False, 1, 0),)


@pytest.mark.parametrize("local", [None, 2])
def test_a_client_is_sent_where_it_was_before_then_by_chance_and_by_chance_alone_when_nobody_can_be_remembered(local):
    plain = chain_rules(ChainSpec("cluster", 3, local))
    sticky = chain_rules(ChainSpec("cluster", 3, local, affinity_s=60))
    affinity = Affinity(BY_ADDRESS, keyed_by_address=True, timeout_s=60)

    for place, (*conditions, by_chance) in enumerate(plain[:-1]):
        again, remembered, alone = sticky[place * 3 : place * 3 + 3]
        assert again == (*conditions, SendAgain(affinity))
        assert remembered == (*conditions, SendAndRemember(affinity, by_chance.count, by_chance.offset))
        assert alone == (*conditions, by_chance)
    assert len(sticky) == 3 * (len(plain) - 1) + 1


def test_without_local_endpoints_outsiders_are_dropped():
    assert len(chain_rules(ChainSpec("external", 3, local=0))) == 3
