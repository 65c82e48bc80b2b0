"""Rules of dispatch chains in the kernel's own words: the expressions that the `nft` program would compile them to.

Registers are counted in words of four bytes: the key (address, protocol, port, index) is gathered in neighbouring
words, looked up as one value, and the found (address, port) replaces it. Where clients are remembered, the client's
address stands in the word before the key, the identity of the endpoint in the word behind. It goes through the
packet's priority on its way from look-up to look-up: nft cannot print a rule that hands it on in a register.
Formats: include/uapi/linux/netfilter/nf_tables.h; checked against `nft --debug=netlink`.
"""

import struct
from ipaddress import IPv4Network
from typing import assert_never

from minikube_py.proxy.chains import (
    Affinity,
    Drop,
    FromPods,
    FromThisHost,
    MarkForMasquerade,
    Rule,
    SendAgain,
    SendAndRemember,
    SendToEndpoint,
    Step,
)
from minikube_py.proxy.config import ProxyConfig

NESTED = 0x8000
_FAMILY_IPV4 = 2
_VERDICT_REGISTER, _FIRST_WORD = 0, 8
_ALL_BITS = 0xFFFFFFFF
_LIST_ELEM, _EXPR_NAME, _EXPR_DATA = 1 | NESTED, 1, 2 | NESTED
_DATA_VALUE, _DATA_VERDICT, _VERDICT_CODE = 1, 2 | NESTED, 1
_NETWORK_HEADER, _TRANSPORT_HEADER = 1, 2
_SADDR_OFFSET, _DADDR_OFFSET, _DPORT_OFFSET = 12, 16, 2
_META_PRIORITY, _META_MARK, _META_L4PROTO = 2, 3, 16
_CMP_EQ = 0
_NG_RANDOM = 1
_FIB_ADDRTYPE, _FIB_SADDR, _RTN_LOCAL = 3, 1, 2
_NAT_DNAT, _NAT_FLAGS_MAP_ADDR_AND_PORT = 1, 0x3
_NF_DROP = 0
_DYNSET_UPDATE, _DYNSET_DELETE = 1, 2


def encode_rule(rule: Rule, config: ProxyConfig) -> bytes:
    """Return the expressions of a rule."""
    return b"".join(_encode_step(step, config) for step in rule)


def _encode_step(step: Step, config: ProxyConfig) -> bytes:
    match step:
        case FromPods():
            return _from_network(IPv4Network(config.cluster_cidr))
        case FromThisHost():
            found = _expression("fib", _u32(1, _FIRST_WORD), _u32(2, _FIB_ADDRTYPE), _u32(3, _FIB_SADDR))
            return found + _equals(_FIRST_WORD, struct.pack("=I", _RTN_LOCAL))
        case MarkForMasquerade():
            return _set_mark_bits(config.masquerade_mark)
        case SendToEndpoint():
            key, index = _gather(_FIRST_WORD, by_address=step.keyed_by_address)
            drawn = key + _draw(index, step.count, step.offset)
            return drawn + _look_up(step.map, _FIRST_WORD, _FIRST_WORD) + _translate(_FIRST_WORD)
        case SendAgain() | SendAndRemember():
            return _send_remembered(step)
        case Drop():
            verdict = attribute(_DATA_VERDICT, _u32(_VERDICT_CODE, _NF_DROP))
            return _expression("immediate", _u32(1, _VERDICT_REGISTER), attribute(2 | NESTED, verdict))
        case _:
            assert_never(step)


def _send_remembered(step: SendAgain | SendAndRemember) -> bytes:
    affinity, client, key = step.affinity, _FIRST_WORD, _FIRST_WORD + 1
    gathered, identity = _gather(key, by_address=affinity.keyed_by_address)
    begin = _payload(client, _NETWORK_HEADER, _SADDR_OFFSET, 4) + gathered
    remember = _write(affinity, _DYNSET_UPDATE, identity, affinity.timeout_s)
    if isinstance(step, SendAgain):
        begin += _look_up(affinity.maps.memory, client, identity) + _keep(identity)
    else:
        begin += _draw(identity, step.count, step.offset) + _look_up(affinity.maps.choices, key, identity)
        # What may be remembered leads to an endpoint that is gone, and an update would leave it as it is.
        begin += _keep(identity) + _write(affinity, _DYNSET_DELETE, identity, 0)
    found = identity + 1
    return begin + remember + _look_up(affinity.maps.endpoints, key, found) + _translate(found)


def _gather(word: int, *, by_address: bool) -> tuple[bytes, int]:
    """Return what loads the key from `word` on, without its last part, and the word of that."""
    address = b""
    if by_address:
        address, word = _payload(word, _NETWORK_HEADER, _DADDR_OFFSET, 4), word + 1
    protocol = _expression("meta", _u32(1, word), _u32(2, _META_L4PROTO))
    return address + protocol + _payload(word + 1, _TRANSPORT_HEADER, _DPORT_OFFSET, 2), word + 2


def _draw(word: int, count: int, offset: int) -> bytes:
    return _expression("numgen", _u32(1, word), _u32(2, count), _u32(3, _NG_RANDOM), _u32(4, offset))


def _look_up(map_name: str, key: int, found: int) -> bytes:
    return _expression("lookup", text_attribute(1, map_name), _u32(2, key), _u32(3, found))


def _keep(identity: int) -> bytes:
    """Put the identity in a word into the packet's priority, and take it from there."""
    put = _expression("meta", _u32(2, _META_PRIORITY), _u32(3, identity))
    return put + _expression("meta", _u32(1, identity), _u32(2, _META_PRIORITY))


def _write(affinity: Affinity, operation: int, identity: int, timeout_s: int) -> bytes:
    registers = (_u32(4, _FIRST_WORD), _u32(5, identity))
    timeout = attribute(6, struct.pack(">Q", timeout_s * 1000)) if timeout_s else b""
    return _expression("dynset", text_attribute(1, affinity.maps.memory), _u32(3, operation), *registers, timeout)


def _translate(address: int) -> bytes:
    port = address + 1
    registers = (_u32(3, address), _u32(4, address), _u32(5, port), _u32(6, port))
    flags = _u32(7, _NAT_FLAGS_MAP_ADDR_AND_PORT)
    return _expression("nat", _u32(1, _NAT_DNAT), _u32(2, _FAMILY_IPV4), *registers, flags)


def _from_network(network: IPv4Network) -> bytes:
    load = _payload(_FIRST_WORD, _NETWORK_HEADER, _SADDR_OFFSET, 4)
    mask = _bitwise(_FIRST_WORD, network.netmask.packed, bytes(4))
    return load + mask + _equals(_FIRST_WORD, network.network_address.packed)


def _set_mark_bits(bits: int) -> bytes:
    load = _expression("meta", _u32(1, _FIRST_WORD), _u32(2, _META_MARK))
    change = _bitwise(_FIRST_WORD, struct.pack("=I", _ALL_BITS ^ bits), struct.pack("=I", bits))
    return load + change + _expression("meta", _u32(2, _META_MARK), _u32(3, _FIRST_WORD))


def _payload(register: int, base: int, offset: int, length: int) -> bytes:
    return _expression("payload", _u32(1, register), _u32(2, base), _u32(3, offset), _u32(4, length))


def _bitwise(register: int, mask: bytes, xor: bytes) -> bytes:
    data = (attribute(4 | NESTED, attribute(_DATA_VALUE, mask)), attribute(5 | NESTED, attribute(_DATA_VALUE, xor)))
    return _expression("bitwise", _u32(1, register), _u32(2, register), _u32(3, 4), *data)


def _equals(register: int, value: bytes) -> bytes:
    data = attribute(3 | NESTED, attribute(_DATA_VALUE, value))
    return _expression("cmp", _u32(1, register), _u32(2, _CMP_EQ), data)


def _expression(name: str, *attributes: bytes) -> bytes:
    body = text_attribute(_EXPR_NAME, name) + attribute(_EXPR_DATA, b"".join(attributes))
    return attribute(_LIST_ELEM, body)


def _u32(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack(">I", value))


def attribute(kind: int, body: bytes) -> bytes:
    """Return a netlink attribute, padded to four bytes."""
    length = 4 + len(body)
    return struct.pack("=HH", length, kind) + body + b"\0" * (-length & 3)


def text_attribute(kind: int, text: str) -> bytes:
    """Return a netlink attribute that holds a zero-terminated string."""
    return attribute(kind, text.encode() + b"\0")
