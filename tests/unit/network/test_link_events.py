"""Which of the kernel's notifications matter for the ways to other nodes."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from minikube_py.network.link_events import DELETED_ADDRESS, DELETED_LINK, DELETED_ROUTE, NEW_LINK, concerns

OURS = 0x6B
NEW_ROUTE = 24


def a_message(kind, body):
    padded = body.ljust(20, b"\0")
    return struct.pack("=IHHII", 16 + len(padded), kind, 0, 0, 0) + padded


def about_link(kind, index):
    return a_message(kind, struct.pack("=BBHI", 2, 0, 0, index))


def about_route(kind, protocol):
    return a_message(kind, struct.pack("=BBBBBBBBI", 2, 24, 0, 0, 254, protocol, 0, 1, 0))


def matters(datagram):
    return concerns(datagram, frozenset({7}), OURS)


def test_a_change_of_a_link_that_is_used_matters():
    assert all(matters(about_link(kind, 7)) for kind in (NEW_LINK, DELETED_LINK, DELETED_ADDRESS))


def test_the_links_of_pods_do_not_matter():
    assert not matters(about_link(NEW_LINK, 8) + about_link(DELETED_LINK, 9))


def test_a_route_of_ours_that_was_taken_away_matters_and_others_do_not():
    assert matters(about_route(DELETED_ROUTE, OURS))
    assert not matters(about_route(DELETED_ROUTE, 3))
    assert not matters(about_route(NEW_ROUTE, OURS))


def test_the_last_of_many_messages_is_seen():
    assert matters(about_link(NEW_LINK, 8) * 5 + about_route(DELETED_ROUTE, OURS))


@given(st.binary(max_size=80))
def test_rubbish_is_no_error(datagram):
    assert matters(datagram) in (True, False)
