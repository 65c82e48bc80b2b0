"""What is asked of etcd: comparisons, and everything under a prefix as of one revision."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from aetcd import rpc

from minikube_py.store.etcd_restore import MARKER
from minikube_py.store.interface import Delete, Operation
from minikube_py.store.io.etcd_client import EtcdClient
from minikube_py.store.key_index import prefix_end
from minikube_py.store.mvcc import Change
from minikube_py.store.records import Seal

PREFIX = "/registry/"
PAGE_KEYS = 500
"""Keys of one request when much is read."""


def compare(operation: Operation, key: bytes) -> list[Any]:
    """Return the comparisons that say what the operation expects of its key."""
    if operation.expect is None:
        return _must_exist(key) if isinstance(operation, Delete) else []
    # Nothing stands at revision 0, so a deletion that expects it never holds.
    expect = operation.expect or (-1 if isinstance(operation, Delete) else 0)
    return [rpc.Compare(result=rpc.Compare.EQUAL, target=rpc.Compare.MOD, key=key, mod_revision=expect)]


def marker_stands(version: int) -> Any:
    """Return the comparison that a restore's marker was written so often (0: there is none)."""
    return rpc.Compare(result=rpc.Compare.EQUAL, target=rpc.Compare.VERSION, key=MARKER.encode(), version=version)


def _must_exist(key: bytes) -> list[Any]:
    return [rpc.Compare(result=rpc.Compare.GREATER, target=rpc.Compare.VERSION, key=key, version=0)]


def change_of(kv: Any, unseal: Seal) -> Change:
    """Return what stands in etcd as a change."""
    key = kv.key.decode()
    return Change(key, unseal(key, kv.value), kv.create_revision, kv.mod_revision)


async def load(client: EtcdClient, unseal: Seal) -> tuple[int, list[Change]]:
    """Return everything under the prefix as of one revision, page by page.

    Raises:
        EtcdError: etcd cannot be reached.
        SealedError: a value cannot be decrypted.
    """
    found: list[Change] = []
    as_of = 0
    async for revision, kvs in pages(client, PREFIX):
        as_of = revision
        found += [change_of(kv, unseal) for kv in kvs]
    return as_of, found


async def pages(client: EtcdClient, prefix: str) -> AsyncIterator[tuple[int, Sequence[Any]]]:
    """Yield what stands under a prefix as of one revision, page by page, with the revision; at least one page.

    Raises:
        EtcdError: etcd cannot be reached.
    """
    revision = 0
    key, end = prefix.encode(), prefix_end(prefix).encode()
    while True:
        request = rpc.RangeRequest(key=key, range_end=end, limit=PAGE_KEYS, revision=revision)
        response = await client.range(request)
        revision = revision or response.header.revision
        yield revision, response.kvs
        if not response.more:
            return
        key = response.kvs[-1].key + b"\0"
