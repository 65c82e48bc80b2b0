from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from minikube_py.client.workqueue import WorkQueue
from minikube_py.kit.backoff import BackoffPolicy


def test_a_key_that_is_added_twice_is_processed_once():
    queue = WorkQueue()
    queue.add("a")
    queue.add("a")

    assert (queue.take(0), queue.take(0)) == ("a", None)


def test_a_key_added_while_it_is_processed_waits_until_it_is_done():
    queue = WorkQueue()
    queue.add("a")
    queue.take(0)
    queue.add("a")

    assert queue.take(0) is None
    queue.done("a")
    assert queue.take(0) == "a"


def test_of_two_delays_the_earlier_counts():
    queue = WorkQueue()
    queue.add_after("a", 10, now_s=0)
    queue.add_after("a", 5, now_s=0)
    queue.add_after("a", 7, now_s=0)

    assert queue.next_wakeup_s() == 5
    assert queue.take(4.9) is None
    assert queue.take(5) == "a"
    queue.done("a")
    assert queue.take(20) is None
    assert queue.idle


def test_failures_wait_longer_each_time_until_they_are_forgotten():
    queue = WorkQueue(BackoffPolicy(initial_s=1, maximum_s=4, reset_after_s=100))
    delays = [queue.requeue_failed("a", now_s=float(n)) for n in range(4)]
    queue.forget("a")

    assert delays == [1, 2, 4, 4]
    assert queue.requeue_failed("a", now_s=5) == 1


class Workers(RuleBasedStateMachine):
    """Adds, delays and processing at random, beside the plainest model: what must still be processed."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: WorkQueue[str] = WorkQueue()
        self.now_s = 0.0
        self.owed: set[str] = set()
        self.due_s: dict[str, float] = {}
        self.processing: set[str] = set()

    @rule(key=st.sampled_from("abc"))
    def add(self, key):
        self.queue.add(key)
        self.owed.add(key)

    @rule(key=st.sampled_from("abc"), delay_s=st.integers(1, 5))
    def add_after(self, key, delay_s):
        self.queue.add_after(key, delay_s, self.now_s)
        self.due_s[key] = min(self.due_s.get(key, float("inf")), self.now_s + delay_s)

    @rule(seconds=st.integers(1, 5))
    def wait(self, seconds):
        self.now_s += seconds

    @rule()
    def take(self):
        for key, due_s in list(self.due_s.items()):
            if due_s <= self.now_s:
                self.owed.add(key)
                del self.due_s[key]
        key = self.queue.take(self.now_s)
        if key is None:
            assert self.owed <= self.processing
        else:
            assert key in self.owed
            assert key not in self.processing
            self.owed.discard(key)
            self.processing.add(key)

    @precondition(lambda self: self.processing)
    @rule(data=st.data())
    def done(self, data):
        key = data.draw(st.sampled_from(sorted(self.processing)))
        self.queue.done(key)
        self.processing.discard(key)

    @invariant()
    def idle_means_that_nothing_is_left(self):
        assert self.queue.idle == (not (self.owed or self.processing or self.due_s))


TestWorkers = Workers.TestCase
TestWorkers.settings = settings(max_examples=50, stateful_step_count=30)
