import struct

import pytest

from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.netlink_batch import (
    ELEMENTS_BYTES_MAX,
    BatchRefusedError,
    count_acknowledgements,
    encode_batch,
    encode_key,
)
from minikube_py.proxy.ruleset import MAPS, ElementKey, Transaction

CONFIG = ProxyConfig("node-1")
VERDICT = ElementKey("services", ("10.96.0.1", "tcp", 443))
TARGET = ElementKey("endpoints", ("10.96.0.1", "tcp", 443, 0))


def messages(batch: bytes) -> list[tuple[int, int, int, bytes]]:
    """Return type, flags, sequence and body of each message."""
    found, offset = [], 0
    while offset < len(batch):
        length, kind, flags, sequence, _ = struct.unpack_from("=IHHII", batch, offset)
        found.append((kind, flags, sequence, batch[offset + 20 : offset + length]))
        offset += length
    assert offset == len(batch)
    return found


def test_keys_are_laid_out_as_the_kernel_keeps_them():
    encoded = encode_key(MAPS["endpoints"].key, ("10.96.0.1", "udp", 53, 2))

    assert encoded == bytes((10, 96, 0, 1, 17, 0, 0, 0, 0, 53, 0, 0)) + struct.pack("=I", 2)


def test_a_batch_is_framed_and_its_changes_are_in_order():
    transaction = Transaction(
        add_chains=("cluster-1",),
        delete_elements=(VERDICT,),
        add_elements=((TARGET, ("10.244.0.2", 8443)), (VERDICT, "goto cluster-1")),
        delete_chains=("cluster-9",),
    )

    batch, acknowledgements = encode_batch(transaction, CONFIG, 100)

    kinds = [kind for kind, *_ in messages(batch)]
    chain, rule, delete, add, gone = 0xA03, 0xA06, 0xA0E, 0xA0C, 0xA05
    assert kinds == [0x10, chain, rule, rule, delete, add, add, gone, 0x11]
    assert [sequence for _, _, sequence, _ in messages(batch)] == list(range(100, 109))
    assert acknowledgements == sum(1 for _, flags, *_ in messages(batch) if flags & 0x4) == 7


def test_an_element_carries_key_and_data():
    batch, _ = encode_batch(Transaction(add_elements=((TARGET, ("10.244.0.2", 8443)),)), CONFIG, 1)

    body = messages(batch)[1][3]
    assert b"minikube-py\0" in body
    assert b"endpoints\0" in body
    assert encode_key(MAPS["endpoints"].key, TARGET.key) in body
    assert bytes((10, 244, 0, 2)) + struct.pack(">H2x", 8443) in body


def test_verdicts_name_their_chain_or_drop():
    key = ElementKey("no-endpoints", ("10.96.0.1", "tcp", 443))
    goto, _ = encode_batch(Transaction(add_elements=((VERDICT, "goto cluster-12"),)), CONFIG, 1)
    drop, _ = encode_batch(Transaction(add_elements=((key, "drop"),)), CONFIG, 1)

    assert b"cluster-12\0" in goto
    assert struct.pack("=HH", 8, 1) + struct.pack(">i", -4) in goto
    assert struct.pack("=HH", 8, 1) + struct.pack(">i", 0) in drop


def test_many_elements_are_cut_into_messages_that_fit():
    adds = tuple((ElementKey("cluster-ips", (f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}",)), None) for n in range(9000))

    batch, acknowledgements = encode_batch(Transaction(add_elements=adds), CONFIG, 1)

    assert acknowledgements > 1
    assert all(len(body) < ELEMENTS_BYTES_MAX + 200 for *_, body in messages(batch))


def acknowledgement(error: int) -> bytes:
    return struct.pack("=IHHII", 36, 2, 0, 1, 0) + struct.pack("=i", error) + bytes(16)


def test_acknowledgements_are_counted_and_a_refusal_is_raised():
    assert count_acknowledgements(acknowledgement(0) * 3) == 3
    assert count_acknowledgements(b"") == 0
    with pytest.raises(BatchRefusedError) as refused:
        count_acknowledgements(acknowledgement(0) + acknowledgement(-17))
    assert refused.value.errno == 17
