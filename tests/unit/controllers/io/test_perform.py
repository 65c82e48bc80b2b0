"""Actions become client calls, in order, and the first failure ends the plan."""

from minikube_py.api.errors import ForbiddenError, UnavailableError
from minikube_py.api.meta import ObjectKey, copy_object, name_of, uid_of
from minikube_py.api.resources import CONFIGMAPS, EVENTS, PODS, REPLICA_SETS
from minikube_py.client.io.event_recorder import EventRecorder
from minikube_py.controllers.io.perform import DELETES_AT_ONCE_MAX, Performer
from minikube_py.controllers.other_groups import other_rows
from minikube_py.controllers.plan import (
    Create,
    CreateBatch,
    Delete,
    DeleteAll,
    DeleteBatch,
    DeleteCollection,
    Patch,
    Record,
    RemoveDirectory,
    Require,
    RequireAbsent,
    RequireAbsentElsewhere,
    RequireEmpty,
    Target,
    Update,
)
from minikube_py.controllers.replicaset import build_pod
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.manual_clock import ManualClock
from minikube_py.testing.sequential_ids import sequential_ids
from minikube_py.testing.workload_objects import a_pod, a_replica_set

RS = a_replica_set()
NOTES = {
    "resources": [
        {"name": "notes", "kind": "Note", "namespaced": True, "verbs": ["get", "list"]},
    ]
}


class Stage:
    """A fake API server, a performer, and what was said."""

    def __init__(self) -> None:
        clock = ManualClock()
        self.client = FakeClient(clock)
        self.recorder = EventRecorder(self.client, clock, sequential_ids(), "test-controller", "")
        self.performer = Performer(self.client, self.recorder)

    async def perform(self, *actions):
        return await self.performer.perform(actions)

    async def said(self) -> list[tuple[str, str]]:
        await self.recorder.flush()
        return sorted((event["reason"], event["message"]) for event in self.client.objects(EVENTS))


def a_map(name: str):
    return {"metadata": {"name": name, "namespace": "default"}}


def target(obj) -> Target:
    return Target(ObjectKey("default", name_of(obj)), uid_of(obj))


async def test_writes_tell_what_the_cache_has_to_show() -> None:
    stage = Stage()
    outcome = await stage.perform(Create(CONFIGMAPS, a_map("a")), Create(CONFIGMAPS, a_map("b")))

    assert outcome.failure is None
    assert [(write.key.name, write.revision) for write in outcome.writes] == [("a", 1), ("b", 2)]


async def test_the_first_failure_ends_the_plan_and_says_why() -> None:
    stage = Stage()
    twice = Create(CONFIGMAPS, a_map("a"))
    outcome = await stage.perform(twice, twice, Create(CONFIGMAPS, a_map("b")))

    assert outcome.failure is not None
    assert (outcome.failure.reason, outcome.failure.action) == ("AlreadyExists", twice)
    assert [name_of(c) for c in stage.client.objects(CONFIGMAPS)] == ["a"]


async def test_what_exists_already_can_be_fine() -> None:
    stage = Stage()
    stage.client.seed(CONFIGMAPS, a_map("a"))

    assert (await stage.perform(Create(CONFIGMAPS, a_map("a"), exists_is_fine=True))).failure is None


async def test_a_batch_creates_all_and_tells_of_each() -> None:
    stage = Stage()
    outcome = await stage.perform(CreateBatch(PODS, (build_pod(RS),) * 5, RS, "pod"))

    names = [name_of(pod) for pod in stage.client.objects(PODS)]
    assert len(outcome.writes) == len(names) == 5
    assert await stage.said() == [("SuccessfulCreate", f"Created pod: {name}") for name in names]


async def test_a_batch_that_is_refused_is_not_tried_to_the_end() -> None:
    stage = Stage()
    for _ in range(2):
        stage.client.fail_next("create", PODS, ForbiddenError("exceeded quota"))
    outcome = await stage.perform(CreateBatch(PODS, (build_pod(RS),) * 9, RS, "pod"))

    assert outcome.failure is not None
    assert outcome.failure.message == "exceeded quota"
    assert stage.client.objects(PODS) == []
    assert await stage.said() == [("FailedCreate", "Error creating: exceeded quota")]


async def test_a_namespace_that_ends_is_no_failure() -> None:
    stage = Stage()
    causes = {"causes": [{"reason": "NamespaceTerminating"}]}
    stage.client.fail_next("create", PODS, ForbiddenError("being terminated", causes))
    outcome = await stage.perform(CreateBatch(PODS, (build_pod(RS),) * 3, RS, "pod"))

    assert outcome.failure is None
    assert await stage.said() == []


async def test_deletions_spare_another_object_of_the_same_name() -> None:
    stage = Stage()
    pod = stage.client.seed(PODS, a_pod(node=""))
    await stage.perform(Delete(PODS, Target(ObjectKey("default", "p"), "uid-of-an-older-pod")))
    assert len(stage.client.objects(PODS)) == 1

    outcome = await stage.perform(Delete(PODS, target(pod)), Delete(PODS, target(pod)))
    assert outcome.failure is None
    assert stage.client.objects(PODS) == []
    assert [write.revision for write in outcome.writes] == [0]


async def test_a_batch_of_deletions_tries_all_and_reports_a_failure() -> None:
    stage = Stage()
    pods = [stage.client.seed(PODS, a_pod(name, node="")) for name in ("a", "b", "c")]
    stage.client.fail_next("delete", PODS, UnavailableError("try later"))
    outcome = await stage.perform(DeleteBatch(PODS, tuple(target(pod) for pod in pods), RS, "pod"))

    assert outcome.failure is not None
    assert len(stage.client.objects(PODS)) == 1
    assert [reason for reason, _ in await stage.said()] == ["FailedDelete", "SuccessfulDelete", "SuccessfulDelete"]


async def test_a_deletion_that_is_refused_holds_up_no_other_however_many_there_are() -> None:
    stage = Stage()
    pods = [stage.client.seed(PODS, a_pod(f"p{at}", node="")) for at in range(2 * DELETES_AT_ONCE_MAX)]
    targets = tuple(target(pod) for pod in pods)
    for action in (DeleteAll(tuple(Delete(PODS, one) for one in targets)), DeleteBatch(PODS, targets, RS, "pod")):
        stage.client.fail_next("delete", PODS, ForbiddenError("the webhook says no"))
        outcome = await stage.perform(action, Create(CONFIGMAPS, a_map("after")))

        assert outcome.failure is not None
        assert outcome.failure.message == "the webhook says no"
        assert len(stage.client.objects(PODS)) == 1
        assert stage.client.objects(CONFIGMAPS) == []
        for pod in pods[1:]:
            stage.client.seed(PODS, pod)


async def test_a_patch_is_for_one_uid_and_a_gone_object_is_fine() -> None:
    stage = Stage()
    pod = stage.client.seed(PODS, a_pod())
    key = ObjectKey("default", "p")
    good = await stage.perform(Patch(PODS, key, {"metadata": {"labels": {"x": "y"}}}, uid=uid_of(pod)))
    bad = await stage.perform(Patch(PODS, key, {"metadata": {"labels": {"x": "z"}}}, uid="other"))
    gone = await stage.perform(Patch(PODS, ObjectKey("default", "gone"), {}))

    assert good.failure is None
    assert bad.failure is not None
    assert bad.failure.reason == "Conflict"
    assert gone.failure is None
    assert stage.client.objects(PODS)[0]["metadata"]["labels"]["x"] == "y"


async def test_an_update_from_an_old_version_is_a_conflict() -> None:
    stage = Stage()
    old = copy_object(stage.client.seed(REPLICA_SETS, RS))
    first = await stage.perform(Update(REPLICA_SETS, {**old, "spec": {**old["spec"], "replicas": 5}}))
    second = await stage.perform(Update(REPLICA_SETS, {**old, "spec": {**old["spec"], "replicas": 6}}))

    assert first.failure is None
    assert second.failure is not None
    assert second.failure.reason == "Conflict"


async def test_requirements_end_the_plan_without_failure() -> None:
    stage = Stage()
    there = stage.client.seed(CONFIGMAPS, a_map("there"))
    write = Create(CONFIGMAPS, a_map("new"))
    nowhere = Target(ObjectKey("default", "nowhere"), "u")
    for requirement in (
        Require(CONFIGMAPS, nowhere),
        Require(CONFIGMAPS, Target(ObjectKey("default", "there"), "another")),
        RequireAbsent(CONFIGMAPS, target(there)),
        RequireAbsent(CONFIGMAPS, Target(ObjectKey("default", "there"), "")),
    ):
        outcome = await stage.perform(requirement, write)
        assert outcome.failure is None
        assert len(stage.client.objects(CONFIGMAPS)) == 1
    outcome = await stage.perform(Require(CONFIGMAPS, target(there)), RequireAbsent(CONFIGMAPS, nowhere), write)

    assert len(outcome.writes) == 1


async def test_another_server_is_asked_by_its_discovery_and_what_nobody_can_say_ends_the_plan() -> None:
    (notes,) = other_rows("notes.io", "v1", NOTES)
    key = ObjectKey("default", "n")
    there, gone, odd, homeless = (
        RequireAbsentElsewhere("notes.io", "v1", kind, Target(where, uid))
        for kind, where, uid in (
            ("Note", key, "uid-n"),
            ("Note", key, "uid-old"),
            ("Sticker", key, "u"),
            ("Note", ObjectKey("", "n"), "u"),
        )
    )
    stage = Stage()
    away = await stage.perform(there)
    assert (away.failure.reason, away.failure.action) == ("NotFound", there), "its discovery is not there"
    stage.client.discoverable["notes.io", "v1"] = NOTES
    stage.client.seed(notes, {"metadata": {"name": "n", "namespace": "default", "uid": "uid-n"}})

    for number, (check, goes_on) in enumerate(((there, False), (gone, True), (odd, False), (homeless, False))):
        outcome = await stage.perform(check, Create(CONFIGMAPS, a_map(f"m{number}")))
        assert (outcome.failure, len(outcome.writes)) == (None, int(goes_on)), check


async def test_a_collection_is_deleted_and_then_found_empty() -> None:
    stage = Stage()
    for name in ("a", "b"):
        stage.client.seed(CONFIGMAPS, a_map(name))
    stage.client.seed(CONFIGMAPS, {"metadata": {"name": "c", "namespace": "other"}})
    full = await stage.perform(RequireEmpty((PODS, CONFIGMAPS), "default"))
    empty = await stage.perform(DeleteCollection(CONFIGMAPS, "default"), RequireEmpty((PODS, CONFIGMAPS), "default"))

    assert full.failure is not None
    assert empty.failure is None
    assert [name_of(c) for c in stage.client.objects(CONFIGMAPS)] == ["c"]


async def test_a_record_is_written_about_its_object() -> None:
    stage = Stage()
    await stage.perform(Record(RS, "Warning", "Odd", "something is odd"))
    await stage.recorder.flush()

    (event,) = stage.client.objects(EVENTS)
    assert (event["type"], event["involvedObject"]["name"], event["source"]) == (
        "Warning",
        "rs",
        {"component": "test-controller"},
    )


async def test_a_directory_goes_with_all_that_it_holds_and_one_that_will_not_ends_the_plan(tmp_path) -> None:
    stage = Stage()
    (tmp_path / "data" / "deep").mkdir(parents=True)
    (tmp_path / "file").write_text("x")
    again = RemoveDirectory(str(tmp_path / "data"))
    assert (await stage.perform(again, again)).failure is None
    assert not (tmp_path / "data").exists()

    outcome = await stage.perform(RemoveDirectory(str(tmp_path / "file")), Create(CONFIGMAPS, a_map("a")))
    assert "cannot be removed: [Errno 20] Not a directory" in outcome.failure.message
    assert stage.client.objects(CONFIGMAPS) == []
