"""Writing a whole state into etcd, which takes so much in one transaction and no more; pure.

A state does not fit into one transaction, so a restore can be interrupted. A marker tells: it is written before
anything else and deleted together with the last change. While it stands nobody writes (each transaction of the store
compares it away) and nobody starts; the way out is to restore again, which takes the marker over and writes what is
still missing.
"""

import json
from collections.abc import Mapping, Sequence

from minikube_py.store.interface import Delete, Operation, Put

MARKER = "/minikube-py/restore"
"""Beside everything that is kept of the cluster's state."""
OPERATIONS_MAX = 127
"""Operations (and comparisons) of one transaction beside that of the marker: etcd's --max-txn-ops is 128."""
TRANSACTION_BYTES_MAX = 1 << 20
"""Bytes of one transaction's keys and values: etcd's --max-request-bytes is 1.5 MiB."""


def plan_restore(standing: Mapping[str, bytes], wanted: Mapping[str, bytes]) -> tuple[tuple[Operation, ...], ...]:
    """Return the transactions that make `wanted` out of `standing`, as few as etcd's limits let it be."""
    operations: list[Operation] = [
        Put(key, value, None) for key, value in sorted(wanted.items()) if standing.get(key) != value
    ]
    operations += [Delete(key, None) for key in sorted(standing) if key not in wanted]
    return cut(operations)


def cut(operations: Sequence[Operation]) -> tuple[tuple[Operation, ...], ...]:
    """Return the operations in transactions that etcd takes; what is larger than one by itself stands alone."""
    transactions: list[tuple[Operation, ...]] = []
    open_: list[Operation] = []
    size_bytes = 0
    for operation in operations:
        more = len(operation.key) + (len(operation.value) if isinstance(operation, Put) else 0)
        if open_ and (len(open_) == OPERATIONS_MAX or size_bytes + more > TRANSACTION_BYTES_MAX):
            transactions.append(tuple(open_))
            open_, size_bytes = [], 0
        open_.append(operation)
        size_bytes += more
    if open_:
        transactions.append(tuple(open_))
    return tuple(transactions)


def render_marker(snapshot: str, began_s: float, name: str) -> bytes:
    """Return the marker of one restore; `name` is its own alone."""
    return json.dumps({"snapshot": snapshot, "began": began_s, "id": name}).encode()


def explain_marker(marker: bytes) -> str:
    """Return what a marker that is found means, and the way out."""
    try:
        snapshot = json.loads(marker)["snapshot"]
    except (ValueError, KeyError, TypeError):
        snapshot = "SNAPSHOT"
    return (
        f"a restore of {snapshot} into this etcd goes on, or was interrupted: what etcd holds is neither the old "
        f"state nor the new one. Run `minikube-py snapshot restore {snapshot}` (or another one) again until it ends"
    )
