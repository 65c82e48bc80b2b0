"""etcd's nine watch guarantees, each as a validator of its own over what a watch was told and what really happened.

The names are those of etcd's robustness tests: filter, ordered, unique, atomic, bookmarkable, resumable, reliable,
previous value, is create.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from minikube_py.store.interface import StoreEvent


@dataclass(frozen=True, slots=True)
class Response:
    """One answer of a watch: events, and the revision up to which it was complete (a bookmark)."""

    events: tuple[StoreEvent, ...]
    complete: int


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything that one watch was told."""

    prefix: str
    after: int
    responses: tuple[Response, ...]

    @property
    def events(self) -> tuple[StoreEvent, ...]:
        """All events in the order in which they were told."""
        return tuple(event for response in self.responses for event in response.events)

    @property
    def complete(self) -> int:
        """The revision up to which the watch is complete."""
        return max((response.complete for response in self.responses), default=self.after)


History = Sequence[StoreEvent]
"""Every event that there was, in order."""
Validator = Callable[[Observed, History], list[str]]


def check_filter(observed: Observed, _history: History) -> list[str]:
    """Only what was asked for: keys under the prefix, revisions after the first."""
    return [
        f"told of {event.key} at {event.revision}"
        for event in observed.events
        if not event.key.startswith(observed.prefix) or event.revision <= observed.after
    ]


def check_ordered(observed: Observed, _history: History) -> list[str]:
    """Revisions never go back."""
    revisions = [event.revision for event in observed.events]
    return [f"{a} before {b}" for a, b in pairwise(revisions) if a > b]


def check_unique(observed: Observed, _history: History) -> list[str]:
    """No event twice."""
    told = [(event.revision, event.key) for event in observed.events]
    return [] if len(set(told)) == len(told) else ["an event was told twice"]


def check_atomic(observed: Observed, _history: History) -> list[str]:
    """The events of one revision come in one response."""
    seen: set[int] = set()
    faults = []
    for response in observed.responses:
        revisions = {event.revision for event in response.events}
        faults += [f"revision {revision} was split" for revision in sorted(revisions & seen)]
        seen |= revisions
    return faults


def check_bookmarkable(observed: Observed, _history: History) -> list[str]:
    """After a bookmark nothing older comes, and it is not older than what came before it."""
    faults = []
    mark = observed.after
    for response in observed.responses:
        faults += [
            f"{event.revision} after the bookmark {mark}" for event in response.events if event.revision <= mark
        ]
        if response.events and response.complete < response.events[-1].revision:
            faults.append(f"the bookmark {response.complete} is behind its own events")
        mark = max(mark, response.complete)
    return faults


def check_resumable(observed: Observed, history: History) -> list[str]:
    """A watch that begins at a revision misses nothing between it and its first event."""
    first = observed.events[0].revision if observed.events else observed.complete + 1
    missed = [event for event in _due(observed, history) if event.revision < first]
    return [f"{event.key} at {event.revision} was missed at the beginning" for event in missed]


def check_reliable(observed: Observed, history: History) -> list[str]:
    """No gap: everything up to the bookmark was told."""
    told = {(event.revision, event.key, event.entry is None) for event in observed.events}
    due = {(event.revision, event.key, event.entry is None) for event in _due(observed, history)}
    return [f"{what} is missing" for what in sorted(due - told)] + [
        f"{what} never was" for what in sorted(told - due)
    ]


def check_previous_value(observed: Observed, history: History) -> list[str]:
    """The previous value is the one that stood before; a deletion carries the last one."""
    before = _values_before(history)
    faults = []
    for event in observed.events:
        previous = event.previous.value if event.previous is not None else None
        if previous != before.get((event.revision, event.key), previous):
            faults.append(f"{event.key} at {event.revision} has another previous value")
        if event.entry is None and not event.last_value:
            faults.append(f"the deletion of {event.key} at {event.revision} carries no value")
    return faults


def check_is_create(observed: Observed, history: History) -> list[str]:
    """An event is a creation exactly when the key was not there."""
    before = _values_before(history)
    faults = []
    for event in observed.events:
        if event.entry is None:
            continue
        created = event.entry.create_revision == event.entry.mod_revision
        known = before.get((event.revision, event.key), b"" if event.previous is not None else None)
        if created != (event.previous is None) or created != (known is None):
            faults.append(f"{event.key} at {event.revision}: creation or not?")
    return faults


GUARANTEES: Mapping[str, Validator] = {
    "filter": check_filter,
    "ordered": check_ordered,
    "unique": check_unique,
    "atomic": check_atomic,
    "bookmarkable": check_bookmarkable,
    "resumable": check_resumable,
    "reliable": check_reliable,
    "previous value": check_previous_value,
    "is create": check_is_create,
}


def _due(observed: Observed, history: History) -> list[StoreEvent]:
    return [
        event
        for event in history
        if event.key.startswith(observed.prefix) and observed.after < event.revision <= observed.complete
    ]


def _values_before(history: History) -> dict[tuple[int, str], bytes | None]:
    """Return for each event the value that stood before it, where the history tells: not for a key's first event."""
    standing: dict[str, bytes | None] = {}
    before: dict[tuple[int, str], bytes | None] = {}
    for event in history:
        if event.key in standing:
            before[event.revision, event.key] = standing[event.key]
        standing[event.key] = event.entry.value if event.entry is not None else None
    return before
