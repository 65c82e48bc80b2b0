import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minikube_py.proxy.conntrack import (
    UdpFlow,
    count_answers,
    parse_dump,
    render_delete,
    render_dump,
    stale_flows,
)
from minikube_py.proxy.nft_expressions import attribute

VIP, POD, OTHER = ("10.96.0.10", 53), ("10.244.0.2", 5353), ("10.244.0.3", 5353)


def flow(destination, answered_by) -> UdpFlow:
    return UdpFlow(destination, answered_by, b"")


def test_a_flow_is_stale_when_no_endpoint_of_its_entry_answers():
    assert stale_flows([flow(VIP, POD)], {VIP: frozenset({POD})}) == ()
    assert stale_flows([flow(VIP, POD)], {VIP: frozenset({OTHER})}) == (flow(VIP, POD),)


def test_scaled_to_zero_deleted_and_never_translated_entries_leave_no_flow():
    untranslated = flow(VIP, VIP)

    assert stale_flows([flow(VIP, POD), untranslated], {VIP: frozenset()}) == (flow(VIP, POD), untranslated)
    assert stale_flows([untranslated], {VIP: frozenset({POD})}) == (untranslated,)


def test_other_destinations_are_left_alone():
    assert stale_flows([flow(("192.0.2.9", 53), ("192.0.2.9", 53))], {VIP: frozenset()}) == ()


def test_a_node_port_counts_at_any_address():
    entered = flow(("192.0.2.1", 30053), POD)

    assert stale_flows([entered], {("", 30053): frozenset({OTHER})}) == (entered,)
    assert stale_flows([entered], {("", 30053): frozenset({POD})}) == ()


def tuple_attribute(kind: int, source: tuple[str, int], destination: tuple[str, int], protocol: int) -> bytes:
    ends = [bytes(map(int, end[0].split("."))) for end in (source, destination)]
    ip = attribute(0x8001, attribute(1, ends[0]) + attribute(2, ends[1]))
    ports = [struct.pack(">H", end[1]) for end in (source, destination)]
    numbers = attribute(1, bytes([protocol])) + attribute(2, ports[0]) + attribute(3, ports[1])
    return attribute(0x8000 | kind, ip + attribute(0x8002, numbers))


def entry(protocol: int) -> bytes:
    client = ("10.244.0.9", 40000)
    body = bytes(4) + tuple_attribute(1, client, VIP, protocol) + tuple_attribute(2, POD, client, protocol)
    return struct.pack("=IHHII", 16 + len(body), 0x100, 2, 1, 0) + body


DONE = struct.pack("=IHHII", 20, 3, 2, 1, 0) + bytes(4)


def test_udp_flows_are_read_from_a_dump_and_others_skipped():
    flows, complete = parse_dump(entry(17) + entry(6) + entry(17))

    assert [(found.destination, found.answered_by) for found in flows] == [(VIP, POD)] * 2
    assert not complete
    assert parse_dump(DONE) == ((), True)


def test_a_delete_names_the_flow_by_its_original_tuple():
    (found, *_), _ = parse_dump(entry(17))

    assert render_delete(found, 9).endswith(tuple_attribute(1, ("10.244.0.9", 40000), VIP, 17))
    assert struct.unpack_from("=IHHI", render_dump(4)) == (20, 0x101, 0x301, 4)


def test_a_refused_dump_is_an_error():
    refusal = struct.pack("=IHHII", 36, 2, 0, 1, 0) + struct.pack("=i", -1) + bytes(16)

    with pytest.raises(PermissionError):
        parse_dump(refusal)


def test_a_flow_that_was_gone_already_counts_as_answered_only():
    def answer(error: int) -> bytes:
        return struct.pack("=IHHII", 36, 2, 0, 1, 0) + struct.pack("=i", error) + bytes(16)

    assert count_answers(answer(0) + answer(-2)) == (2, 1)


@given(st.binary(max_size=120))
def test_a_flow_of_any_shape_is_taken(data):
    body = bytes(4) + data
    parse_dump(struct.pack("=IHHII", 16 + len(body), 0x100, 2, 1, 0) + body)
