import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from minikube_py.store.check import check_state
from minikube_py.store.interface import CompactedError, Delete, Put
from minikube_py.store.mvcc import Applied, HistoryLimits, Mvcc

KEYS = (
    "/r/core/pods/x/a",
    "/r/core/pods/x/b",
    "/r/core/pods/y/a",
    "/r/core/podtemplates/x/a",
    "/r/core/nodes/a",
    "/odd",
    "/odd/b",
)
PREFIXES = ("", "/r/core/", "/r/core/pods/", "/r/core/pods/x/", "/r/core/pods/x/a", "/r/core/po", "/odd", "/none/")


def marked(value: bytes, revision: int) -> bytes:
    return b"%d:%s" % (revision, value.rpartition(b":")[2])


class AgainstModel(RuleBasedStateMachine):
    """Random transactions beside a dict for each revision: every read of the present and the past must agree."""

    @initialize(first=st.sampled_from([0, 500]))
    def begin(self, first):
        self.first = first
        self.state = Mvcc(marked, first, HistoryLimits(events_min=5, age_s=10, events_max=12))
        self.now_s = 0.0
        self.past = {first: {}}
        self.told = 0

    def model(self):
        return self.past[self.state.revision]

    @rule(
        picks=st.lists(
            st.tuples(st.sampled_from(KEYS), st.booleans(), st.sampled_from(["any", "right", "new", "stale"])),
            min_size=1,
            max_size=3,
            unique_by=lambda pick: pick[0],
        ),
        data=st.binary(max_size=3).map(lambda value: value.replace(b":", b"")),
        waited_s=st.integers(0, 6),
    )
    def commit(self, picks, data, waited_s):
        self.now_s += waited_s
        before, holds, operations = dict(self.model()), True, []
        for key, is_put, wish in picks:
            modified = before[key][1] if key in before else 0
            expect = {"any": None, "right": modified, "new": 0, "stale": modified + 1}[wish]
            operations.append(Put(key, data, expect) if is_put else Delete(key, expect))
            holds = holds and (expect is None or expect == modified) and (is_put or modified > 0)
        revision = self.state.revision
        applied = self.state.apply(operations, self.now_s)

        assert isinstance(applied, Applied) == holds
        if not holds:
            assert self.state.revision == revision
            return
        assert self.state.revision == revision + 1
        after = dict(before)
        for key, is_put, _ in picks:
            if is_put:
                created = before[key][0] if key in before else revision + 1
                after[key] = (created, revision + 1, marked(data, revision + 1))
            else:
                del after[key]
        self.past[revision + 1] = after
        self.told += len(operations)
        assert [(event.key, event.revision) for event in applied.events] == [
            (op.key, revision + 1) for op in operations
        ]

    @rule(prefix=st.sampled_from(PREFIXES), after=st.sampled_from(["", *KEYS]), limit=st.integers(0, 3))
    def read(self, prefix, after, limit):
        expected = [key for key in sorted(self.model()) if key.startswith(prefix) and key > after]

        assert [e.key for e in self.state.range(prefix, after, limit)] == (expected[:limit] if limit else expected)
        assert self.state.count(prefix, after) == len(expected)

    @rule(
        prefix=st.sampled_from(PREFIXES),
        back=st.integers(0, 15),
        after=st.sampled_from(["", *KEYS]),
        limit=st.integers(0, 3),
    )
    def read_the_past(self, prefix, back, after, limit):
        revision = max(self.first, self.state.revision - back)
        if revision < self.state.history.compact_revision:
            with pytest.raises(CompactedError):
                self.state.range_at(prefix, revision)
            return
        then = self.past[revision]
        expected = [(key, then[key]) for key in sorted(then) if key.startswith(prefix) and key > after]
        found = [
            (e.key, (e.create_revision, e.mod_revision, e.value))
            for e in self.state.range_at(prefix, revision, after, limit)
        ]
        assert found == (expected[:limit] if limit else expected)
        assert self.state.count_at(prefix, revision, after) == len(expected)

    @invariant()
    def the_state_is_sound(self):
        if hasattr(self, "state"):
            assert check_state(self.state) == ()

    @invariant()
    def the_history_is_bounded_and_long_enough(self):
        if hasattr(self, "state"):
            kept = [event for events in self.state.history.after(self.first) for event in events]
            assert len(kept) <= 12
            assert len(kept) >= min(5, self.told)


TestAgainstModel = AgainstModel.TestCase
TestAgainstModel.settings = settings(max_examples=50, stateful_step_count=30)


def a_state(**limits) -> Mvcc:
    return Mvcc(marked, 0, HistoryLimits(**limits))


def test_history_younger_than_its_age_is_kept_beyond_the_minimum():
    state = a_state(events_min=2, age_s=300)
    for second in range(10):
        state.apply([Put("/a", b"", None)], float(second))
    assert state.history.compact_revision == 0

    state.apply([Put("/a", b"", None)], 305.5)
    assert state.history.compact_revision == 6


def test_the_minimum_is_kept_however_old():
    state = a_state(events_min=3, age_s=1)
    for second in range(10):
        state.apply([Put("/a", b"", None)], float(second * 100))

    assert state.history.compact_revision == 7


def test_history_ends_at_its_size_however_young():
    state = a_state(size_bytes_max=100)
    for _ in range(20):
        state.apply([Put("/a", b"x" * 28, None)], 0.0)

    assert 16 <= state.history.compact_revision <= 18
    assert len(list(state.history.after(0))) == 20 - state.history.compact_revision
