"""Is the state what it must be? The fsck of a store: after tests, after a restore, and on demand; pure.

`check_state` looks at one state's own invariants, `diff_states` compares two that must be equal: the state in memory
and the one that the log gives. Both return texts for people, empty when all is well.
"""

import zlib
from collections.abc import Iterable, Mapping

from minikube_py.store.interface import Entry, Stamp
from minikube_py.store.mvcc import Applied, Mvcc
from minikube_py.store.records import Transaction

FAULTS_MAX = 100
"""Faults listed by one check; the state is bad enough with these."""


def check_state(state: Mvcc, *, may_have_gaps: bool = False) -> tuple[str, ...]:
    """Return the faults of a state by itself; revisions that an etcd cluster gives out may have gaps."""
    faults: list[str] = []
    ordered = [entry.key for entry in state.range("")]
    if ordered != sorted(state.entries):
        faults.append("the order of keys does not hold exactly the keys of the entries")
    for key, entry in state.entries.items():
        if entry.key != key:
            faults.append(f"{key}: the entry says it is {entry.key}")
        if not 0 < entry.create_revision <= entry.mod_revision <= state.revision:
            faults.append(
                f"{key}: created {entry.create_revision}, modified {entry.mod_revision} of {state.revision}"
            )
    return tuple([*faults, *_check_history(state, may_have_gaps)][:FAULTS_MAX])


def _check_history(state: Mvcc, may_have_gaps: bool) -> list[str]:
    faults: list[str] = []
    newest: dict[str, Entry | None] = {}
    revision = state.history.compact_revision
    for events in state.history.after(revision):
        due = revision + 1
        revision = max(due, events[0].revision) if may_have_gaps else due
        for event in events:
            if event.revision != revision:
                faults.append(f"{event.key}: revision {event.revision} where {revision} is due")
            if event.key in newest and newest[event.key] is not event.previous:
                faults.append(f"{event.key}: the event of {event.revision} does not follow the one before it")
            newest[event.key] = event.entry
    if revision > state.revision or (revision < state.revision and not may_have_gaps):
        faults.append(f"the history ends at revision {revision} of {state.revision}")
    faults += [f"{key}: the newest event is not what stands" for key in newest if state.get(key) is not newest[key]]
    return faults


def diff_states(memory: Mvcc, other: Mvcc) -> tuple[str, ...]:
    """Return how `other` differs from `memory`."""
    faults: list[str] = []
    if memory.revision != other.revision:
        faults.append(f"revision {other.revision} instead of {memory.revision}")
    return tuple([*faults, *diff_entries(memory.entries, other.entries)][:FAULTS_MAX])


def diff_entries(expected: Mapping[str, Entry], found: Mapping[str, Entry]) -> tuple[str, ...]:
    """Return how `found` differs from `expected`; values are compared and never shown (they may be Secrets)."""
    faults: list[str] = []
    for key in sorted(expected.keys() | found.keys()):
        here, there = _facts(expected.get(key)), _facts(found.get(key))
        if here != there:
            faults.append(f"{key}: {_shown(there)} instead of {_shown(here)}")
    return tuple(faults[:FAULTS_MAX])


def diff_revisions(memory: Mapping[str, Entry], found: Mapping[str, int]) -> tuple[str, ...]:
    """Return which keys do not stand at the same mod revision as in `found`."""
    here = {key: entry.mod_revision for key, entry in memory.items()}
    keys = sorted(key for key in here.keys() | found.keys() if here.get(key) != found.get(key))
    return tuple(f"{key}: memory has revision {here.get(key)}, not {found.get(key)}" for key in keys[:FAULTS_MAX])


def replay(transactions: Iterable[Transaction], stamp: Stamp) -> Mvcc:
    """Return the state that a log gives.

    Raises:
        ValueError: a transaction does not follow from those before it.
    """
    state = Mvcc(stamp)
    for transaction in transactions:
        replay_one(state, transaction, 0.0)
    return state


def replay_one(state: Mvcc, transaction: Transaction, now_s: float) -> None:
    """Apply one transaction of a log.

    Raises:
        ValueError: it does not follow from those before it.
    """
    if transaction.revision != state.revision + 1:
        raise ValueError(f"revision {transaction.revision} where {state.revision + 1} is due")
    applied = state.apply(transaction.operations, now_s)
    if not isinstance(applied, Applied):
        raise ValueError(f"revision {transaction.revision} deletes {applied.key}, which does not exist")  # noqa: TRY004


def _shown(facts: tuple[int, int, bytes] | None) -> str:
    if facts is None:
        return "nothing"
    return (
        f"created {facts[0]}, modified {facts[1]}, value of {len(facts[2])} bytes with CRC {zlib.crc32(facts[2]):08x}"
    )


def _facts(entry: Entry | None) -> tuple[int, int, bytes] | None:
    return None if entry is None else (entry.create_revision, entry.mod_revision, entry.value)
