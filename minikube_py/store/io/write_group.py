"""Transactions that share a write and a flush, checked in their order before anything of them is written."""

import asyncio
from collections.abc import Sequence

from minikube_py.store.interface import Committed, Operation, Put, Rejected, StoreReadOnlyError
from minikube_py.store.mvcc import Mvcc, expectation_holds
from minikube_py.store.records import Seal, encode_transaction


class Pending:
    """One transaction that waits for its answer."""

    __slots__ = ("answer", "operations", "size_bytes")

    def __init__(self, operations: Sequence[Operation], answer: "asyncio.Future[Committed | Rejected]") -> None:
        self.operations = operations
        self.answer = answer
        self.size_bytes = 0
        for operation in operations:
            if isinstance(operation, Put):
                self.size_bytes += len(operation.value)

    @property
    def only_deletes(self) -> bool:
        """Return whether it frees room."""
        return not any(isinstance(operation, Put) for operation in self.operations)

    def settle(self, result: Committed | Rejected) -> None:
        """Answer."""
        if not self.answer.done():
            self.answer.set_result(result)

    def refuse(self, why: str) -> None:
        """Answer that it is not written."""
        if not self.answer.done():
            self.answer.set_exception(StoreReadOnlyError(why))


class WriteGroup:
    """Transactions that share a flush: which of them hold, and what they leave behind."""

    __slots__ = ("accepted", "before", "members", "refusal", "standing")

    def __init__(self, members: list[Pending], state: Mvcc, earlier: "WriteGroup | None") -> None:
        """Check the members; `earlier` is durable and not yet applied."""
        self.members = members
        self.standing: dict[str, int] = {}
        """The mod revision of each key that was written (0: deleted)."""
        self.refusal = ""
        self.before: int = state.revision if earlier is None else earlier.before + earlier.count
        applied = state.entries
        standing = self.standing
        revision = self.before
        self.accepted: list[bool] = []
        for pending in members:
            holds = True
            for operation in pending.operations:
                key = operation.key
                if key in standing:
                    modified = standing[key]
                elif earlier is not None and key in earlier.standing:
                    modified = earlier.standing[key]
                else:
                    entry = applied.get(key)
                    modified = entry.mod_revision if entry is not None else 0
                holds = holds and expectation_holds(operation, modified)
            self.accepted.append(holds)
            if holds:
                revision += 1
                for operation in pending.operations:
                    standing[operation.key] = revision if isinstance(operation, Put) else 0

    @property
    def count(self) -> int:
        """Return how many transactions take a revision."""
        return sum(self.accepted)

    def encode(self, wall_s: float, seal: Seal) -> list[bytes]:
        """Return the records of the members that hold."""
        holding = [pending for pending, holds in zip(self.members, self.accepted, strict=True) if holds]
        return [
            encode_transaction(self.before + place, pending.operations, wall_s, seal)
            for place, pending in enumerate(holding, 1)
        ]

    def refuse(self, why: str) -> None:
        """Answer everybody that it is not known what happened."""
        for pending in self.members:
            pending.refuse(why)
