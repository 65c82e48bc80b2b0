"""Which number stands for an endpoint, and how nft writes it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minikube_py.proxy.affinity import AFFINITY_MAPS, identity_of, parse_identity, render_identity
from minikube_py.proxy.ruleset import CLUSTER_LIST_OFFSET, MAPS

TARGETS = st.tuples(st.ip_addresses(v=4).map(str), st.integers(1, 65535))


@given(TARGETS)
def test_an_identity_is_one_that_nft_writes_as_two_numbers(target):
    identity = identity_of(target, 0)

    assert re.fullmatch(r"[0-7]?[0-9a-f]{1,3}:[0-9a-f]{1,4}", render_identity(identity))
    assert parse_identity(render_identity(identity)) == identity
    assert identity >> 16
    assert identity & 0xFFFF


def test_each_endpoint_and_each_list_has_an_identity_of_its_own():
    targets = [(f"10.244.{n >> 8}.{n & 255}", port) for n in range(500) for port in (80, 8080)]
    identities = {identity_of(target, offset) for target in targets for offset in (0, CLUSTER_LIST_OFFSET)}

    assert len(identities) == 4 * 500
    assert identity_of(("10.244.0.2", 80), 0) == identity_of(("10.244.0.2", 80), 0)


@pytest.mark.parametrize("text", ["none", "root", "1:x", "12"])
def test_what_is_no_identity_is_an_error(text):
    with pytest.raises(ValueError, match=r"unpack|invalid"):
        parse_identity(text)


def test_the_maps_of_affinity_are_maps_of_the_table():
    assert len(AFFINITY_MAPS) == 6
    assert MAPS.keys() > AFFINITY_MAPS
