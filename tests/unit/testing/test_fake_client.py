import asyncio

import pytest

from minikube_py.api.errors import AlreadyExistsError, ConflictError, GoneError, NotFoundError, UnavailableError
from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import CONFIGMAPS, DEPLOYMENTS, NAMESPACES, NODES, PODS
from minikube_py.client.interface import EVERYTHING, JSON_PATCH, STRATEGIC, DeleteOptions, Selection, WatchEvent
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.manual_clock import ManualClock, settle

A = ObjectKey("default", "a")


def a_pod(name: str = "a", node: str = "", **metadata) -> dict:
    spec = {"containers": [{"name": "main", "image": "web"}], "terminationGracePeriodSeconds": 30}
    return {
        "metadata": {"name": name, "namespace": "default", **metadata},
        "spec": spec | ({"nodeName": node} if node else {}),
    }


@pytest.fixture
def client() -> FakeClient:
    return FakeClient(ManualClock())


class Seen:
    """What one watch has yielded so far."""

    def __init__(self, client: FakeClient, resource, version: str, selection=EVERYTHING) -> None:
        self._source = client.watch(resource, version, selection)
        self.events: list[tuple[str, str, str]] = []

    async def run(self) -> None:
        async for event in self._source:
            self.note(event)

    def note(self, event: WatchEvent) -> None:
        meta = event.object["metadata"]
        self.events.append((event.type, meta.get("name", ""), meta["resourceVersion"]))


async def test_create_fills_what_the_server_owns_and_takes_the_next_revision(client):
    made = await client.create(PODS, a_pod() | {"status": {"phase": "Running"}})

    assert made["kind"] == "Pod"
    assert made["status"]["phase"] == "Pending"
    assert made["metadata"]["resourceVersion"] == "1"
    assert made["metadata"]["creationTimestamp"] == "2026-01-01T00:00:00Z"
    assert made["metadata"]["uid"]
    with pytest.raises(AlreadyExistsError):
        await client.create(PODS, a_pod())


async def test_generate_name_gives_different_names(client):
    one = await client.create(PODS, {"metadata": {"generateName": "web-", "namespace": "default"}})
    two = await client.create(PODS, {"metadata": {"generateName": "web-", "namespace": "default"}})

    assert one["metadata"]["name"] != two["metadata"]["name"]
    assert one["metadata"]["name"].startswith("web-")


async def test_a_stale_update_conflicts_and_an_equal_one_takes_no_revision(client):
    made = await client.create(CONFIGMAPS, {"metadata": {"name": "a"}, "data": {"x": "1"}})
    await client.update(CONFIGMAPS, made | {"data": {"x": "2"}})

    with pytest.raises(ConflictError):
        await client.update(CONFIGMAPS, made | {"data": {"x": "3"}})
    same = await client.get(CONFIGMAPS, A)
    assert await client.update(CONFIGMAPS, same) == same
    assert client.revision == 2


async def test_generation_grows_with_the_spec_and_not_with_the_status(client):
    await client.create(DEPLOYMENTS, {"metadata": {"name": "a"}, "spec": {"replicas": 1}})
    scaled = await client.patch(DEPLOYMENTS, A, {"spec": {"replicas": 2}, "status": {"replicas": 9}})
    told = await client.patch(DEPLOYMENTS, A, {"status": {"replicas": 2}}, subresource="status")

    assert scaled["metadata"]["generation"] == 2
    assert scaled["status"] == {}
    assert told["metadata"]["generation"] == 2
    assert told["status"] == {"replicas": 2}


async def test_a_bound_pod_waits_for_its_grace_period_and_a_grace_of_zero_removes_it(client):
    await client.create(PODS, a_pod(node="n1"))
    lingering = await client.delete(PODS, A)
    again = await client.delete(PODS, A, DeleteOptions(grace_period_s=5))

    assert lingering["metadata"]["deletionTimestamp"] == "2026-01-01T00:00:30Z"
    assert again["metadata"]["deletionGracePeriodSeconds"] == 5
    assert (await client.delete(PODS, A, DeleteOptions(grace_period_s=0)))["kind"] == "Status"
    with pytest.raises(NotFoundError):
        await client.get(PODS, A)


async def test_a_pod_without_a_node_goes_at_once(client):
    await client.create(PODS, a_pod())
    await client.delete(PODS, A)

    assert client.objects(PODS) == []


async def test_a_finalizer_holds_an_object_until_it_is_taken_away(client):
    await client.create(CONFIGMAPS, {"metadata": {"name": "a", "finalizers": ["x/y"]}})
    await client.delete(CONFIGMAPS, A)
    revision = client.revision
    await client.delete(CONFIGMAPS, A)
    assert client.revision == revision

    await client.patch(CONFIGMAPS, A, {"metadata": {"finalizers": None}})

    assert client.objects(CONFIGMAPS) == []


async def test_a_namespace_ends_when_it_is_finalized(client):
    made = await client.create(NAMESPACES, {"metadata": {"name": "a"}})
    await client.delete(NAMESPACES, ObjectKey("", "a"))
    ending = await client.get(NAMESPACES, ObjectKey("", "a"))
    assert (made["status"]["phase"], ending["status"]["phase"]) == ("Active", "Terminating")

    await client.update(NAMESPACES, ending | {"spec": {"finalizers": []}}, subresource="finalize")

    assert client.objects(NAMESPACES) == []


async def test_a_foreground_deletion_waits_for_the_garbage_collector(client):
    await client.create(DEPLOYMENTS, {"metadata": {"name": "a"}, "spec": {}})
    lingering = await client.delete(DEPLOYMENTS, A, DeleteOptions(propagation="Foreground"))

    assert lingering["metadata"]["finalizers"] == ["foregroundDeletion"]


async def test_preconditions_of_a_delete_are_checked(client):
    made = await client.create(CONFIGMAPS, {"metadata": {"name": "a"}})

    with pytest.raises(ConflictError):
        await client.delete(CONFIGMAPS, A, DeleteOptions(uid="other"))
    with pytest.raises(ConflictError):
        await client.delete(CONFIGMAPS, A, DeleteOptions(resource_version="77"))
    await client.delete(CONFIGMAPS, A, DeleteOptions(uid=made["metadata"]["uid"], resource_version="1"))


async def test_a_binding_sets_the_node_once(client):
    await client.create(PODS, a_pod())
    binding = {"metadata": {"name": "a"}, "target": {"kind": "Node", "name": "n1"}}
    await client.create_subresource(PODS, A, "binding", binding)

    bound = await client.get(PODS, A)
    assert bound["spec"]["nodeName"] == "n1"
    assert bound["status"]["conditions"][0]["type"] == "PodScheduled"
    with pytest.raises(ConflictError):
        await client.create_subresource(PODS, A, "binding", binding)


async def test_a_strategic_patch_merges_conditions_by_type_and_a_json_patch_adds(client):
    client.seed(NODES, {"metadata": {"name": "n1"}, "status": {"conditions": [{"type": "Ready", "status": "False"}]}})
    key = ObjectKey("", "n1")
    await client.patch(
        NODES,
        key,
        {
            "status": {
                "conditions": [{"type": "Ready", "status": "True"}, {"type": "DiskPressure", "status": "False"}]
            }
        },
        patch_type=STRATEGIC,
        subresource="status",
    )
    await client.patch(
        NODES, key, [{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}], patch_type=JSON_PATCH
    )

    node = await client.get(NODES, key)
    assert [c["status"] for c in node["status"]["conditions"]] == ["True", "False"]
    assert node["metadata"]["labels"] == {"a": "b"}


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("app=web", ["a"]),
        ("app!=web", ["b", "c"]),
        ("app in (web, db)", ["a", "b"]),
        ("app notin (web)", ["b", "c"]),
        ("app", ["a", "b"]),
        ("!app", ["c"]),
        ("app,tier=back", ["b"]),
    ],
)
async def test_label_selectors_select(client, selector, names):
    await client.create(PODS, a_pod("a", labels={"app": "web"}))
    await client.create(PODS, a_pod("b", labels={"app": "db", "tier": "back"}))
    await client.create(PODS, a_pod("c"))

    found = await client.list(PODS, Selection(label_selector=selector))
    assert [obj["metadata"]["name"] for obj in found.items] == names


async def test_a_watch_replays_from_its_version_and_then_follows(client):
    made = await client.create(PODS, a_pod("a"))
    await client.create(PODS, a_pod("b"))
    seen = Seen(client, PODS, made["metadata"]["resourceVersion"])
    async with asyncio.TaskGroup() as group:
        group.create_task(seen.run())
        await settle()
        await client.delete(PODS, A)
        client.bookmark()
        client.end_watches()

    assert seen.events == [("ADDED", "b", "2"), ("DELETED", "a", "3"), ("BOOKMARK", "", "3")]


async def test_an_object_that_moves_over_the_selection_is_added_and_deleted_for_the_watcher(client):
    seen = Seen(client, PODS, "0", Selection(field_selector="spec.nodeName=n1"))
    async with asyncio.TaskGroup() as group:
        group.create_task(seen.run())
        await settle()
        await client.create(PODS, a_pod())
        await client.create_subresource(PODS, A, "binding", {"target": {"name": "n1"}})
        await client.patch(PODS, A, {"spec": {"nodeName": "n2"}})
        client.end_watches()

    assert seen.events == [("ADDED", "a", "2"), ("DELETED", "a", "3")]


async def test_a_watch_from_before_the_compaction_is_gone(client):
    await client.create(PODS, a_pod())
    client.compact()

    with pytest.raises(GoneError):
        await anext(client.watch(PODS, "0"))


async def test_an_injected_failure_hits_once(client):
    client.fail_next("create", PODS, UnavailableError("down"))

    with pytest.raises(UnavailableError):
        await client.create(PODS, a_pod())
    await client.create(PODS, a_pod())
