from minikube_py.api.meta import key_of, uid_of
from minikube_py.api.resources import EVENTS
from minikube_py.client.io.event_recorder import EventRecorder
from minikube_py.controllers.io import event_copies
from minikube_py.controllers.io.event_copies import EventCopies
from minikube_py.controllers.plan import RepeatEvents, Target
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.manual_clock import ManualClock
from minikube_py.testing.sequential_ids import sequential_ids
from minikube_py.testing.volume_objects import a_volume
from minikube_py.testing.workload_objects import a_pod

VOLUME = {**a_volume(), "apiVersion": "v1", "kind": "PersistentVolume"}


class Stage:
    """A pod of which things are said, and a volume of which they are repeated."""

    def __init__(self):
        clock = ManualClock()
        self.client = FakeClient(clock)
        self.kubelet = EventRecorder(self.client, clock, sequential_ids(), "kubelet", "n1")
        self.recorder = EventRecorder(self.client, clock, sequential_ids(), "controller", "")
        self.copies = EventCopies(self.client, self.recorder)
        self.pod = {"apiVersion": "v1", "kind": "Pod", **a_pod()}

    async def say(self, kind, message):
        self.kubelet.record(self.pod, kind, "Any", message)
        await self.kubelet.flush()

    async def repeat(self):
        await self.copies.repeat(
            RepeatEvents(Target(key_of(self.pod), uid_of(self.pod)), VOLUME, "RecyclerPod", "Recycler pod: ")
        )
        await self.recorder.flush()

    def told(self):
        events = self.client.objects(EVENTS)
        return [
            (event["type"], event["reason"], event["message"], event["count"])
            for event in events
            if event["involvedObject"]["kind"] == "PersistentVolume"
        ]


async def test_each_event_is_repeated_once_however_often_it_is_asked_for():
    stage = Stage()
    await stage.say("Normal", "Pulling image")
    await stage.repeat()
    await stage.say("Warning", "Failed to pull")
    await stage.repeat()
    await stage.repeat()

    assert sorted(stage.told()) == [
        ("Normal", "RecyclerPod", "Recycler pod: Pulling image", 1),
        ("Warning", "RecyclerPod", "Recycler pod: Failed to pull", 1),
    ]


async def test_what_is_said_of_others_is_not_repeated():
    stage = Stage()
    other = {**stage.pod, "metadata": {**stage.pod["metadata"], "uid": "another"}}
    stage.kubelet.record(other, "Normal", "Any", "not mine")
    await stage.kubelet.flush()
    await stage.repeat()

    assert stage.told() == []


async def test_at_the_bound_the_oldest_is_forgotten(monkeypatch):
    monkeypatch.setattr(event_copies, "REPEATED_MAX", 1)
    stage = Stage()
    for message in ("one", "two"):
        await stage.say("Normal", message)
    await stage.repeat()
    await stage.repeat()

    assert sum(count for *_, count in stage.told()) == 4
