"""Events are written in order, counted, tried again, and never stop their component."""

import asyncio

from minikube_py.api.errors import ForbiddenError, UnavailableError
from minikube_py.api.meta import ObjectKey, name_of
from minikube_py.api.resources import EVENTS
from minikube_py.client.io.event_recorder import QUEUE_MAX, WRITE_TRIES_MAX, EventRecorder
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.manual_clock import ManualClock, settle
from minikube_py.testing.sequential_ids import sequential_ids
from minikube_py.testing.workload_objects import a_pod


class Stage:
    """A recorder over a fake API server."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.client = FakeClient(self.clock)
        self.recorder = EventRecorder(self.client, self.clock, sequential_ids(), "kubelet", "n1")

    def counts(self) -> list[tuple[str, int]]:
        return [(event["message"], event["count"]) for event in self.client.objects(EVENTS)]


async def test_what_is_said_twice_is_one_object_counted() -> None:
    stage = Stage()
    for message in ("Pulled", "Pulled", "Started"):
        stage.recorder.record(a_pod(), "Normal", "Test", message, "spec.containers{c}")
    await stage.recorder.flush()

    assert sorted(stage.counts()) == [("Pulled", 2), ("Started", 1)]
    assert stage.client.objects(EVENTS)[0]["involvedObject"]["fieldPath"] == "spec.containers{c}"


async def test_how_far_something_is_is_one_object_that_says_the_last_of_it() -> None:
    stage = Stage()
    for message in ("1 of 3", "2 of 3"):
        stage.recorder.record_progress(a_pod(), "PullProgress", message, "spec.containers{c}")
    await stage.recorder.flush()

    assert stage.counts() == [("2 of 3", 2)]
    assert stage.client.objects(EVENTS)[0]["involvedObject"]["fieldPath"] == "spec.containers{c}"


async def test_an_object_that_expired_meanwhile_is_made_again() -> None:
    stage = Stage()
    stage.recorder.record(a_pod(), "Normal", "Test", "again")
    await stage.recorder.flush()
    (event,) = stage.client.objects(EVENTS)
    await stage.client.delete(EVENTS, ObjectKey("default", name_of(event)))
    stage.recorder.record(a_pod(), "Normal", "Test", "again")
    await stage.recorder.flush()

    assert stage.counts() == [("again", 2)]


async def test_a_server_that_is_away_is_tried_again_and_in_the_end_given_up() -> None:
    stage = Stage()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(stage.recorder.run())
        stage.client.fail_next("create", EVENTS, UnavailableError("starting"))
        stage.recorder.record(a_pod(), "Normal", "Test", "first")
        await stage.clock.advance(1.0)
        assert stage.counts() == [("first", 1)]
        for _ in range(WRITE_TRIES_MAX):
            stage.client.fail_next("create", EVENTS, UnavailableError("away"))
        stage.recorder.record(a_pod(), "Normal", "Test", "lost")
        stage.recorder.record(a_pod(), "Normal", "Test", "kept")
        await stage.clock.advance(60.0)
        task.cancel()

    assert sorted(stage.counts()) == [("first", 1), ("kept", 1)]


async def test_a_refused_event_is_given_up_at_once() -> None:
    stage = Stage()
    stage.client.fail_next("create", EVENTS, ForbiddenError("namespace is being terminated"))
    stage.recorder.record(a_pod(), "Normal", "Test", "refused")
    stage.recorder.record(a_pod(), "Normal", "Test", "written")
    await stage.recorder.flush()

    assert stage.counts() == [("written", 1)]


async def test_recording_never_waits_and_the_oldest_is_lost_when_too_much_waits() -> None:
    stage = Stage()
    for number in range(QUEUE_MAX + 1):
        pod = a_pod(f"p{number}")
        stage.recorder.record(pod, "Normal", "Test", "hello")
    await stage.recorder.flush()
    await settle()

    names = {event["involvedObject"]["name"] for event in stage.client.objects(EVENTS)}
    assert len(names) == QUEUE_MAX
    assert "p0" not in names
