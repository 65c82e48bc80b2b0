import struct

from hypothesis import given
from hypothesis import strategies as st

from minikube_py.proxy.nft_events import changers
from minikube_py.proxy.nft_expressions import attribute, text_attribute

NEW_RULE, NEW_GENERATION = 0xA06, 0xA0F


def notification(kind: int, port: int, body: bytes) -> bytes:
    return struct.pack("=IHHII", 20 + len(body), kind, 0, 0, port) + bytes(4) + body


def test_whoever_changes_our_table_is_named():
    assert changers(notification(NEW_RULE, 77, text_attribute(1, "minikube-py")), "minikube-py") == {77}


def test_changes_of_other_tables_do_not_count():
    assert changers(notification(NEW_RULE, 77, text_attribute(1, "filter")), "minikube-py") == set()
    assert changers(notification(NEW_RULE, 77, attribute(2, b"x")), "minikube-py") == set()


def test_the_number_of_a_generation_is_no_table():
    assert changers(notification(NEW_GENERATION, 77, attribute(1, b"mini")), "mini") == set()


def test_every_message_of_a_datagram_is_looked_at():
    datagram = b"".join(notification(NEW_RULE, port, text_attribute(1, "t")) for port in (5, 77, 5))

    assert changers(notification(NEW_RULE, 9, text_attribute(1, "filter")) + datagram, "t") == {5, 77}


def test_a_message_that_was_cut_off_is_nobodys():
    whole = notification(NEW_RULE, 5, text_attribute(1, "t"))

    assert all(changers(whole[:length], "t") in (frozenset(), {5}) for length in range(len(whole)))


@given(st.binary(max_size=200))
def test_any_bytes_are_taken(data):
    changers(data, "t")
