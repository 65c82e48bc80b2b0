"""Who is tried when."""

from collections import Counter

from minikube_py.api.meta import ObjectKey
from minikube_py.scheduler.queue import BACKOFF_MAX_S, PARKED_MAX_S, SchedulingQueue

A, B, C = (ObjectKey("default", name) for name in "abc")


def filled(*keys: ObjectKey) -> SchedulingQueue:
    queue = SchedulingQueue()
    for key in keys:
        queue.add(key, 0, 0.0)
    return queue


def places(queue: SchedulingQueue) -> dict[str, int]:
    return Counter(waiting.place.value for waiting in queue._pods.values())


def test_priority_goes_before_waiting_time() -> None:
    queue = filled(A)
    queue.add(B, 0, 1.0)
    queue.add(C, 10, 2.0)

    assert [queue.take(3.0) for _ in range(4)] == [C, A, B, None]


def test_a_pod_without_a_node_waits_for_a_change_and_its_back_off() -> None:
    queue = filled(A)
    queue.take(0.0)
    queue.park(A, 0.0)
    assert queue.take(5.0) is None
    assert places(queue) == {"unschedulable": 1}

    queue.note_change(5.0)
    assert queue.take(5.0) == A
    queue.park(A, 5.0)
    queue.note_change(5.5)
    assert queue.next_ready_s() == 7.0
    assert queue.take(6.9) is None
    assert queue.take(7.0) == A


def test_a_change_during_the_attempt_is_not_missed() -> None:
    queue = filled(A)
    queue.take(0.0)
    queue.note_change(0.0)
    queue.park(A, 0.0)

    assert places(queue) == {"backoff": 1}
    assert queue.take(1.0) == A


def test_a_change_of_the_pod_itself_moves_it_on() -> None:
    queue = filled(A, B)
    queue.take(0.0)
    queue.park(A, 0.0)
    queue.add(A, 0, 3.0)
    queue.take(3.0)
    queue.add(B, 0, 3.0)
    queue.park(B, 3.0)

    assert places(queue) == {"active": 1, "backoff": 1}


def test_back_off_doubles_up_to_its_bound() -> None:
    queue = filled(A)
    now_s, delays = 0.0, []
    for _ in range(6):
        assert queue.take(now_s) == A
        queue.retry(A, now_s)
        ready_s = queue.next_ready_s()
        assert ready_s is not None
        delays.append(ready_s - now_s)
        now_s = ready_s

    assert delays == [1, 2, 4, 8, BACKOFF_MAX_S, BACKOFF_MAX_S]


def test_a_parked_pod_is_tried_again_in_the_end() -> None:
    queue = filled(A)
    queue.take(0.0)
    queue.park(A, 0.0)

    assert queue.next_ready_s() == PARKED_MAX_S
    assert queue.take(PARKED_MAX_S) == A


def test_a_removed_pod_comes_from_nowhere_and_a_new_one_of_its_name_starts_afresh() -> None:
    queue = filled(A, B)
    queue.take(0.0)
    queue.retry(A, 0.0)
    queue.remove(A)
    queue.remove(B)
    assert (len(queue), queue.take(100.0)) == (0, None)
    queue.retry(A, 100.0)
    queue.park(A, 100.0)
    assert len(queue) == 0

    queue.add(A, 0, 100.0)
    assert [queue.take(100.0), queue.take(100.0)] == [A, None]
