"""Was what clients saw possible? The order of revisions is the witness, so no search is needed; pure.

Every successful write has a revision of its own. Checked, over many clients and the log that was found afterwards:
  1. acknowledged writes are in the log, at their revision, with their value (nothing lost);
  2. everything in the log was proposed by somebody, once (no phantoms, nothing twice);
  3. the order of revisions respects real time: what returned before another began has the smaller revision;
  4. each comparison held at its revision; what was rejected is not in the log;
  5. a read returned the newest write at some moment between its call and its return;
  6. a watch saw exactly the log's revisions, in order, without a gap, as far as it came.
A write without an answer may be in the log or not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Write:
    """One proposed write of one key."""

    id: str
    """What was written, unique among all writes."""
    key: str
    expect: int | None
    invoked_s: float
    returned_s: float | None = None
    """None: there was no answer."""
    revision: int | None = None
    """None with `returned_s`: rejected."""


@dataclass(frozen=True, slots=True)
class Read:
    """One read of one key: the revision that its value had (0: it was not there)."""

    key: str
    mod_revision: int
    invoked_s: float
    returned_s: float


@dataclass(frozen=True, slots=True)
class Found:
    """One write as the log holds it."""

    revision: int
    key: str
    id: str


@dataclass(frozen=True, slots=True)
class History:
    """What clients saw in one life of the store."""

    writes: Sequence[Write]
    reads: Sequence[Read] = ()
    watches: Sequence[Sequence[tuple[int, str]]] = ()
    """For each watch the (revision, key) that it was told."""


def check_history(
    before: Mapping[str, int], first_revision: int, history: History, log: Sequence[Found]
) -> list[str]:
    """Return what cannot have been.

    Args:
        before: the mod revision of each key when this life began.
        first_revision: the newest revision when this life began.
        history: what clients saw.
        log: every write after `first_revision`, in order.
    """
    proposed = {write.id: write for write in history.writes}
    by_revision = {found.revision: found for found in log}
    faults = [*_check_order(first_revision, log), *_check_acknowledged(history.writes, by_revision)]
    faults += _check_log(dict(before), log, proposed)
    faults += _check_real_time(history.writes)
    faults += _check_reads(before, history.reads, log, proposed)
    faults += [fault for watch in history.watches for fault in _check_watch(watch, log)]
    return faults


def _check_order(first_revision: int, log: Sequence[Found]) -> list[str]:
    expected = range(first_revision + 1, first_revision + 1 + len(log))
    return [] if [found.revision for found in log] == list(expected) else ["the log's revisions have a gap"]


def _check_acknowledged(writes: Iterable[Write], by_revision: Mapping[int, Found]) -> list[str]:
    faults = []
    for write in writes:
        if write.revision is None:
            continue
        found = by_revision.get(write.revision)
        if found is None or (found.id, found.key) != (write.id, write.key):
            faults.append(f"lost: {write.id} was acknowledged as revision {write.revision}; there stands {found}")
    return faults


def _check_log(standing: dict[str, int], log: Sequence[Found], proposed: Mapping[str, Write]) -> list[str]:
    faults = []
    seen: set[str] = set()
    for found in log:
        write = proposed.get(found.id)
        if write is None or write.key != found.key:
            faults.append(f"phantom: {found} was proposed by nobody")
            continue
        if found.id in seen:
            faults.append(f"twice: {found}")
        seen.add(found.id)
        if write.returned_s is not None and write.revision is None:
            faults.append(f"phantom: {found} had been rejected")
        if write.expect is not None and write.expect != standing.get(found.key, 0):
            faults.append(f"{found} expected {write.expect} where {standing.get(found.key, 0)} stood")
        standing[found.key] = found.revision
    return faults


def _check_real_time(writes: Iterable[Write]) -> list[str]:
    faults = []
    latest: tuple[float, Write] | None = None
    done = [write for write in writes if write.revision is not None]
    for write in sorted(done, key=lambda write: write.revision or 0):
        assert write.returned_s is not None
        if latest is not None and latest[0] > write.returned_s:
            faults.append(f"{latest[1].id} has a smaller revision than {write.id}, which had returned before")
        if latest is None or write.invoked_s > latest[0]:
            latest = (write.invoked_s, write)
    return faults


def _check_reads(
    before: Mapping[str, int], reads: Iterable[Read], log: Sequence[Found], proposed: Mapping[str, Write]
) -> list[str]:
    faults = []
    by_key: dict[str, list[Found]] = {}
    for found in log:
        by_key.setdefault(found.key, []).append(found)
    for read in reads:
        certain = before.get(read.key, 0)
        possible = {certain}
        for found in by_key.get(read.key, ()):
            write = proposed.get(found.id)
            if write is None or write.invoked_s > read.returned_s:
                continue
            possible.add(found.revision)
            if write.returned_s is not None and write.returned_s < read.invoked_s:
                certain = max(certain, found.revision)
        if read.mod_revision < certain:
            faults.append(f"stale: {read} though revision {certain} had been acknowledged")
        if read.mod_revision not in possible:
            faults.append(f"{read} is of no write of this key")
    return faults


def _check_watch(watch: Sequence[tuple[int, str]], log: Sequence[Found]) -> list[str]:
    if not watch:
        return []
    expected = [(found.revision, found.key) for found in log if watch[0][0] <= found.revision <= watch[-1][0]]
    if list(watch) != expected:
        return [f"a watch from revision {watch[0][0]} to {watch[-1][0]} was told something else than the log"]
    return []
