"""The bytes are compared with what the `nft` program makes by tests/node/test_proxy.py; here: shape and sizes."""

import struct

from minikube_py.proxy.chains import ChainSpec, Drop, FromPods, chain_rules
from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.nft_expressions import attribute, encode_rule, text_attribute

CONFIG = ProxyConfig("node-1")


def expressions(rule: bytes) -> list[str]:
    """Return the names of a rule's expressions."""
    names, offset = [], 0
    while offset < len(rule):
        length, kind = struct.unpack_from("=HH", rule, offset)
        assert kind == 0x8001
        name_length, name_kind = struct.unpack_from("=HH", rule, offset + 4)
        assert name_kind == 1
        names.append(rule[offset + 8 : offset + 3 + name_length].decode())
        offset += (length + 3) & ~3
    return names


def test_a_cluster_chain_gathers_its_key_looks_it_up_and_translates():
    rule = chain_rules(ChainSpec("cluster", 3))[0]

    assert expressions(encode_rule(rule, CONFIG)) == ["payload", "meta", "payload", "numgen", "lookup", "nat"]


def test_a_sticky_node_port_marks_and_recalls_or_chooses_and_remembers():
    again, by_chance, alone, _ = chain_rules(ChainSpec("node-port", 3, affinity_s=10800))

    marks, key, kept = ["meta", "bitwise", "meta"], ["meta", "payload"], ["meta", "meta"]
    send = ["dynset", "lookup", "nat"]
    assert expressions(encode_rule(again, CONFIG)) == [*marks, "payload", *key, "lookup", *kept, *send]
    chosen = ["numgen", "lookup", *kept, "dynset"]
    assert expressions(encode_rule(by_chance, CONFIG)) == [*marks, "payload", *key, *chosen, *send]
    assert expressions(encode_rule(alone, CONFIG)) == [*marks, *key, "numgen", "lookup", "nat"]


def test_conditions_and_drop():
    assert expressions(encode_rule((FromPods(), Drop()), CONFIG)) == ["payload", "bitwise", "cmp", "immediate"]
    local = chain_rules(ChainSpec("external", 3, local=1))[1]
    assert expressions(encode_rule(local, CONFIG))[:2] == ["fib", "cmp"]


def test_attributes_are_padded_but_count_their_own_length():
    assert attribute(1, b"abc") == struct.pack("=HH", 7, 1) + b"abc\0"
    assert text_attribute(2, "abc") == struct.pack("=HH", 8, 2) + b"abc\0"
