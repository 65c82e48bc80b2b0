import struct

from hypothesis import given
from hypothesis import strategies as st

from minikube_py.proxy.nft_events import touches_table
from minikube_py.proxy.nft_expressions import attribute, text_attribute

NEW_RULE, NEW_GENERATION = 0xA06, 0xA0F


def notification(kind: int, port: int, body: bytes) -> bytes:
    return struct.pack("=IHHII", 20 + len(body), kind, 0, 0, port) + bytes(4) + body


def test_a_change_of_our_table_by_another_port_counts():
    assert touches_table(notification(NEW_RULE, 77, text_attribute(1, "minikube-py")), "minikube-py", (5,))


def test_our_own_changes_and_other_tables_do_not():
    assert not touches_table(notification(NEW_RULE, 5, text_attribute(1, "minikube-py")), "minikube-py", (5,))
    assert not touches_table(notification(NEW_RULE, 77, text_attribute(1, "filter")), "minikube-py", (5,))
    assert not touches_table(notification(NEW_RULE, 77, attribute(2, b"x")), "minikube-py", (5,))


def test_the_number_of_a_generation_is_no_table():
    generation = notification(NEW_GENERATION, 77, attribute(1, b"mini"))

    assert not touches_table(generation, "mini", ())


def test_every_message_of_a_datagram_is_looked_at():
    other = notification(NEW_RULE, 77, text_attribute(1, "filter"))

    assert touches_table(other + notification(NEW_RULE, 77, text_attribute(1, "t")), "t", ())


@given(st.binary(max_size=200))
def test_any_bytes_are_taken(data):
    touches_table(data, "t", ())
