"""Session affinity in nftables: which maps an entry uses, and which number stands for an endpoint in a memory.

The number is a hash of the endpoint, not its place in a list: clients keep their endpoint when others come and go.
Of two endpoints with one number (in one Service port, one time in 2^29) the clients of both go to one of them.

Upstream: the sets `affinity-...` of the nftables proxier, one for each endpoint.
"""

from dataclasses import dataclass
from zlib import crc32

from minikube_py.proxy.ruleset import (
    AFFINITY,
    AFFINITY_CHOICES,
    AFFINITY_ENDPOINTS,
    NODE_PORT_AFFINITY,
    NODE_PORT_AFFINITY_CHOICES,
    NODE_PORT_AFFINITY_ENDPOINTS,
)

_ROOT_BIT, _NEITHER_HALF_ZERO = 0x80000000, 0x00010001
"""nft prints an identity as two halves, but has other words for 0, for all bits, and for one half alone."""


@dataclass(frozen=True, slots=True)
class AffinityMaps:
    """The names of the maps of one kind of entries."""

    memory: str
    choices: str
    endpoints: str


BY_ADDRESS = AffinityMaps(AFFINITY.name, AFFINITY_CHOICES.name, AFFINITY_ENDPOINTS.name)
BY_NODE_PORT = AffinityMaps(
    NODE_PORT_AFFINITY.name, NODE_PORT_AFFINITY_CHOICES.name, NODE_PORT_AFFINITY_ENDPOINTS.name
)
AFFINITY_MAPS = frozenset(
    name for maps in (BY_ADDRESS, BY_NODE_PORT) for name in (maps.memory, maps.choices, maps.endpoints)
)


def identity_of(target: tuple[str, int], list_offset: int) -> int:
    """Return the number of an endpoint in the list that begins at an index: no list keeps what another one gave."""
    digest = crc32(f"{target[0]} {target[1]} {list_offset}".encode())
    return digest & ~_ROOT_BIT | _NEITHER_HALF_ZERO


def render_identity(identity: int) -> str:
    """Return an identity in nft's words."""
    return f"{identity >> 16:x}:{identity & 0xFFFF:x}"


def parse_identity(text: str) -> int:
    """Return the identity that `render_identity` wrote.

    Raises:
        ValueError: it did not.
    """
    upper, lower = text.split(":")
    return int(upper, 16) << 16 | int(lower, 16)
