"""What is done to everything that etcd holds: a restore, and writing Secrets anew with another key."""

import secrets
from dataclasses import dataclass
from typing import Any

from aetcd import rpc

from minikube_py.store.disk import Storage
from minikube_py.store.encryption import SECRETS_PREFIX, Encryption, key_of
from minikube_py.store.etcd_restore import MARKER, cut, explain_marker, plan_restore, render_marker
from minikube_py.store.interface import Operation, Put
from minikube_py.store.io.etcd_client import EtcdClient, EtcdError
from minikube_py.store.io.etcd_requests import PREFIX, load, marker_stands, pages
from minikube_py.store.records import Seal

RESEAL_TRIES = 20
"""How often Secrets that others wrote meanwhile are looked for again."""


@dataclass(frozen=True, slots=True)
class RestoredToEtcd:
    """What a restore did."""

    revision: int
    transactions: int
    """How many were needed, those of the marker included."""


async def restore_all(
    client: EtcdClient, storage: Storage, wanted: dict[str, bytes], snapshot: str, wall_s: float
) -> RestoredToEtcd:
    """Make `wanted` all that etcd holds under the prefix. Interrupted at any point, it is done again by another one.

    Args:
        client: the cluster.
        storage: for its seals.
        wanted: values by key, as they are proposed.
        snapshot: what to restore when this is interrupted, for people.
        wall_s: now.

    Raises:
        EtcdError: etcd cannot be reached or refuses, or another restore took over; the marker stands.
    """
    marker = render_marker(snapshot, wall_s, secrets.token_hex(8))
    await client.txn(rpc.TxnRequest(success=[_put(MARKER, marker)]))
    _, found = await load(client, storage.unseal)
    standing = {change.key: change.value for change in found if change.value is not None}
    plan = plan_restore(standing, wanted)
    ours = rpc.Compare(result=rpc.Compare.EQUAL, target=rpc.Compare.VALUE, key=MARKER.encode(), value=marker)
    revision = 0
    for at, operations in enumerate(plan or ((),), 1):
        writes = [_write(operation, storage.seal) for operation in operations]
        if at >= len(plan):
            writes.append(_delete(MARKER))
        response = await client.txn(rpc.TxnRequest(compare=[ours], success=writes))
        if not response.succeeded:
            raise EtcdError("another restore into this etcd took over")
        revision = response.header.revision
    return RestoredToEtcd(revision, 1 + max(1, len(plan)))


async def key_names(client: EtcdClient) -> frozenset[str]:
    """Return the names of the keys that some value in etcd is sealed with.

    Raises:
        EtcdError: etcd cannot be reached.
    """
    names: set[str] = set()
    async for _, kvs in pages(client, PREFIX):
        names.update(name for kv in kvs if (name := key_of(kv.value)) is not None)
    return frozenset(names)


async def reseal(client: EtcdClient, encryption: Encryption) -> int:
    """Write every Secret anew that is not sealed with the key that seals now; return how many were.

    Raises:
        EtcdError: etcd cannot be reached, or a restore goes on; the rest is still sealed with the old key.
        SealedError: a Secret cannot be decrypted.
    """
    written = 0
    for _ in range(RESEAL_TRIES):
        stale: dict[str, Any] = {}
        async for _, kvs in pages(client, SECRETS_PREFIX):
            stale.update({kv.key.decode(): kv for kv in kvs if key_of(kv.value) != encryption.primary})
        if not stale:
            break
        for operations in cut([Put(key, encryption.unseal(key, kv.value), None) for key, kv in stale.items()]):
            compares = [_unchanged(stale[operation.key]) for operation in operations]
            writes = [_write(operation, encryption.seal) for operation in operations]
            response = await client.txn(rpc.TxnRequest(compare=[*compares, marker_stands(0)], success=writes))
            # One that failed met a Secret that somebody wrote meanwhile: those are looked at again.
            written += len(operations) if response.succeeded else 0
    else:
        raise EtcdError(await _why_not(client))
    return written


async def _why_not(client: EtcdClient) -> str:
    found = await client.range(rpc.RangeRequest(key=MARKER.encode()))
    return explain_marker(found.kvs[0].value) if found.kvs else "Secrets change faster than they are written anew"


def _unchanged(kv: Any) -> Any:
    return rpc.Compare(result=rpc.Compare.EQUAL, target=rpc.Compare.MOD, key=kv.key, mod_revision=kv.mod_revision)


def _write(operation: Operation, seal: Seal) -> Any:
    if isinstance(operation, Put):
        return _put(operation.key, seal(operation.key, operation.value))
    return _delete(operation.key)


def _put(key: str, value: bytes) -> Any:
    return rpc.RequestOp(request_put=rpc.PutRequest(key=key.encode(), value=value))


def _delete(key: str) -> Any:
    return rpc.RequestOp(request_delete_range=rpc.DeleteRangeRequest(key=key.encode()))
