"""What every Client must do: one suite for the fake API server, the real one in process, and the real one over HTTP.

What holds here holds for rooms' tests on FakeClient too. A test module derives a class from ClientContract and gives
a fixture `client` over a server in which the namespace `default` stands. Method names are the sentences that must be
true.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from minikube_py.api.errors import AlreadyExistsError, ConflictError, NotFoundError, StatusError
from minikube_py.api.meta import Obj, ObjectKey, name_of, resource_version_of
from minikube_py.api.resource import Resource
from minikube_py.api.resources import CONFIGMAPS, DEPLOYMENTS, NODES, PODS
from minikube_py.client.interface import (
    JSON_PATCH,
    STRATEGIC,
    Client,
    DeleteOptions,
    Selection,
    WatchEvent,
)

A = ObjectKey("default", "a")
NODE = ObjectKey("", "n1")
EVENTUALLY_S = 5.0


def a_config(name: str = "a", /, labels: dict[str, str] | None = None, **data: str) -> Obj:
    """Return a ConfigMap of the namespace default."""
    meta: Obj = {"name": name, "namespace": "default"}
    return {"metadata": meta | ({"labels": labels} if labels else {}), "data": data}


def a_pod(name: str = "a") -> Obj:
    """Return a Pod of the namespace default that no node has yet."""
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": [{"name": "main", "image": "web"}], "terminationGracePeriodSeconds": 30},
    }


def a_deployment(replicas: int) -> Obj:
    """Return a Deployment of the namespace default."""
    labels = {"app": "a"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "web"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"metadata": {"name": "a", "namespace": "default"}, "spec": spec}


async def refused(kind: type[StatusError], request: Awaitable[object]) -> None:
    """Demand that the request raises exactly this error."""
    try:
        await request
    except StatusError as error:
        assert type(error) is kind, f"{type(error).__name__}: {error}"  # noqa: PT017
    else:
        raise AssertionError(f"{kind.__name__} was due")


class Watched:
    """What a watch has yielded so far, bookmarks left out."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []
        self.last: WatchEvent | None = None
        self._news = asyncio.Event()

    async def follow(self, source: AsyncIterator[WatchEvent]) -> None:
        """Note all events until cancelled."""
        async for event in source:
            if event.type != "BOOKMARK":
                self.events.append((event.type, name_of(event.object)))
                self.last = event
                self._news.set()

    async def wait(self, count: int) -> list[tuple[str, str]]:
        """Wait until there are `count` events, and return them."""
        async with asyncio.timeout(EVENTUALLY_S):
            while len(self.events) < count:
                self._news.clear()
                await self._news.wait()
        return self.events


@asynccontextmanager
async def watching(client: Client, resource: Resource, version: str, selection: Selection) -> AsyncIterator[Watched]:
    """Watch in the background while the context lasts."""
    watched = Watched()
    with suppress(asyncio.CancelledError):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(watched.follow(client.watch(resource, version, selection)))
            yield watched
            task.cancel()


class ClientContract:
    """The suite; every method gets a client of a fresh server."""

    async def test_what_was_created_is_read_back(self, client: Client) -> None:
        """With what the server owns."""
        made = await client.create(CONFIGMAPS, a_config(x="1"))

        assert made == await client.get(CONFIGMAPS, A)
        assert (made["kind"], made["apiVersion"], made["data"]) == ("ConfigMap", "v1", {"x": "1"})
        for field in ("uid", "creationTimestamp", "resourceVersion"):
            assert made["metadata"][field]

    async def test_errors_are_the_classes_of_their_reasons(self, client: Client) -> None:
        """Also over the wire."""
        await client.create(CONFIGMAPS, a_config())

        await refused(AlreadyExistsError, client.create(CONFIGMAPS, a_config()))
        missing = ObjectKey("default", "missing")
        await refused(NotFoundError, client.get(CONFIGMAPS, missing))
        await refused(NotFoundError, client.update(CONFIGMAPS, a_config("missing")))
        await refused(NotFoundError, client.patch(CONFIGMAPS, missing, {"data": {}}))
        await refused(NotFoundError, client.delete(CONFIGMAPS, missing))

    async def test_a_generated_name_is_new_each_time(self, client: Client) -> None:
        """From metadata.generateName."""
        obj = {"metadata": {"generateName": "web-", "namespace": "default"}}
        names = {name_of(await client.create(CONFIGMAPS, obj)) for _ in range(3)}

        assert len(names) == 3
        assert all(name.startswith("web-") and len(name) == 9 for name in names)

    async def test_a_stale_update_conflicts(self, client: Client) -> None:
        """By version, and by uid."""
        made = await client.create(CONFIGMAPS, a_config(x="1"))
        await client.update(CONFIGMAPS, {**made, "data": {"x": "2"}})

        await refused(ConflictError, client.update(CONFIGMAPS, {**made, "data": {"x": "3"}}))
        stale: Obj = {"metadata": {"resourceVersion": made["metadata"]["resourceVersion"]}, "data": {"x": "4"}}
        await refused(ConflictError, client.patch(CONFIGMAPS, A, stale))
        assert (await client.get(CONFIGMAPS, A))["data"] == {"x": "2"}

    async def test_a_write_that_changes_nothing_makes_no_version(self, client: Client) -> None:
        """Neither an update nor a patch."""
        made = await client.create(CONFIGMAPS, a_config(x="1"))

        assert (await client.update(CONFIGMAPS, made))["metadata"] == made["metadata"]
        patched = await client.patch(CONFIGMAPS, A, {"data": {"x": "1"}})
        assert patched["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]

    async def test_the_three_patches_change_what_they_say(self, client: Client) -> None:
        """Merge removes by null, JSON adds by path, strategic merges lists by key."""
        await client.create(CONFIGMAPS, a_config(x="1", y="2"))
        merged = await client.patch(CONFIGMAPS, A, {"data": {"x": None, "z": "3"}})
        assert merged["data"] == {"y": "2", "z": "3"}
        operations = [{"op": "add", "path": "/data/w", "value": "4"}, {"op": "remove", "path": "/data/y"}]
        added = await client.patch(CONFIGMAPS, A, operations, patch_type=JSON_PATCH)
        assert added["data"] == {"w": "4", "z": "3"}

        await client.create(DEPLOYMENTS, a_deployment(1))
        image = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "web:2"}]}}}}
        new = await client.patch(DEPLOYMENTS, A, image, patch_type=STRATEGIC)
        (container,) = new["spec"]["template"]["spec"]["containers"]
        assert (container["name"], container["image"]) == ("main", "web:2")

    async def test_status_and_spec_are_written_apart_and_the_generation_counts_the_spec(self, client: Client) -> None:
        """The main resource leaves the status alone, and the other way round."""
        made = await client.create(DEPLOYMENTS, a_deployment(1))
        both = {"spec": {"replicas": 2}, "status": {"replicas": 7, "observedGeneration": 9}}
        main = await client.patch(DEPLOYMENTS, A, both)
        told = await client.patch(DEPLOYMENTS, A, {**both, "spec": {"replicas": 5}}, subresource="status")

        assert [o["metadata"]["generation"] for o in (made, main, told)] == [1, 2, 2]
        assert main.get("status", {}).get("replicas") is None
        assert (told["spec"]["replicas"], told["status"]["replicas"]) == (2, 7)
        again = await client.update(DEPLOYMENTS, {**told, "status": {"replicas": 8}}, subresource="status")
        assert again["status"]["replicas"] == 8

    async def test_a_deletion_heeds_its_preconditions(self, client: Client) -> None:
        """By uid and by version."""
        made = await client.create(CONFIGMAPS, a_config())

        await refused(ConflictError, client.delete(CONFIGMAPS, A, DeleteOptions(uid="other")))
        meta = made["metadata"]
        await client.delete(CONFIGMAPS, A, DeleteOptions(uid=meta["uid"], resource_version=meta["resourceVersion"]))
        await refused(NotFoundError, client.get(CONFIGMAPS, A))

    async def test_a_finalizer_holds_an_object_until_it_is_taken_away(self, client: Client) -> None:
        """And the deletion is told as one when it happens."""
        obj = a_config()
        obj["metadata"]["finalizers"] = ["example.org/hold"]
        await client.create(CONFIGMAPS, obj)
        await client.delete(CONFIGMAPS, A)
        held = await client.get(CONFIGMAPS, A)
        assert held["metadata"]["deletionTimestamp"]
        version = held["metadata"]["resourceVersion"]
        async with watching(client, CONFIGMAPS, version, Selection()) as watched:
            await client.patch(CONFIGMAPS, A, {"metadata": {"finalizers": None}})
            assert await watched.wait(1) == [("DELETED", "a")]
        await refused(NotFoundError, client.get(CONFIGMAPS, A))

    async def test_a_foreground_deletion_waits_for_the_garbage_collector(self, client: Client) -> None:
        """By upstream's finalizer."""
        await client.create(DEPLOYMENTS, a_deployment(1))
        await client.delete(DEPLOYMENTS, A, DeleteOptions(propagation="Foreground"))

        held = await client.get(DEPLOYMENTS, A)
        assert held["metadata"]["finalizers"] == ["foregroundDeletion"]

    async def test_a_pod_is_bound_once_and_then_goes_with_grace(self, client: Client) -> None:
        """Pending, bound, deleting for its period, gone at the kubelet's word."""
        made = await client.create(PODS, a_pod())
        assert made["status"]["phase"] == "Pending"
        binding = {"metadata": {"name": "a"}, "target": {"kind": "Node", "name": "n1"}}
        await client.create_subresource(PODS, A, "binding", binding)
        await refused(ConflictError, client.create_subresource(PODS, A, "binding", binding))
        assert (await client.get(PODS, A))["spec"]["nodeName"] == "n1"

        await client.delete(PODS, A)
        going = (await client.get(PODS, A))["metadata"]
        assert (bool(going["deletionTimestamp"]), going["deletionGracePeriodSeconds"]) == (True, 30)
        await client.delete(PODS, A, DeleteOptions(grace_period_s=0))
        await refused(NotFoundError, client.get(PODS, A))

    async def test_a_pod_that_no_node_has_goes_at_once(self, client: Client) -> None:
        """Nobody would confirm its end."""
        await client.create(PODS, a_pod())
        await client.delete(PODS, A)

        await refused(NotFoundError, client.get(PODS, A))

    async def test_a_node_may_bring_its_status_and_update_it(self, client: Client) -> None:
        """As kubelets do when they register."""
        conditions = [{"type": "Ready", "status": "False"}, {"type": "DiskPressure", "status": "False"}]
        status = {"capacity": {"cpu": "2"}, "conditions": conditions}
        await client.create(NODES, {"metadata": {"name": "n1"}, "status": status})
        ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
        node = await client.patch(NODES, NODE, ready, patch_type=STRATEGIC, subresource="status")

        assert node["status"]["capacity"] == {"cpu": "2"}
        assert {c["type"]: c["status"] for c in node["status"]["conditions"]} == {
            "Ready": "True",
            "DiskPressure": "False",
        }

    async def test_a_list_holds_what_the_selection_means_sorted(self, client: Client) -> None:
        """Namespace, labels, fields."""
        for name, labels in (("b", {"app": "db"}), ("a", {"app": "web"}), ("c", None)):
            await client.create(CONFIGMAPS, a_config(name, labels))

        async def names(**selection: str) -> list[str]:
            listed = await client.list(CONFIGMAPS, Selection(namespace="default", **selection))
            assert all((o["kind"], o["apiVersion"]) == ("ConfigMap", "v1") for o in listed.items)
            return [name_of(o) for o in listed.items if name_of(o) in "abc"]

        assert await names() == ["a", "b", "c"]
        assert await names(label_selector="app in (web, db),app!=db") == ["a"]
        assert await names(label_selector="!app") == ["c"]
        assert await names(field_selector="metadata.name=b") == ["b"]
        assert not (await client.list(CONFIGMAPS, Selection(namespace="nowhere"))).items

    async def test_a_watch_goes_on_where_the_list_ended(self, client: Client) -> None:
        """Nothing twice, nothing left out, deletions with their own version."""
        await client.create(CONFIGMAPS, a_config("before"))
        listed = await client.list(CONFIGMAPS)
        await client.create(CONFIGMAPS, a_config("a"))
        async with watching(client, CONFIGMAPS, listed.resource_version, Selection()) as watched:
            await watched.wait(1)
            changed = await client.patch(CONFIGMAPS, A, {"data": {"x": "1"}})
            await client.delete(CONFIGMAPS, A)
            assert await watched.wait(3) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
            assert watched.last is not None
            assert watched.last.object["data"] == {"x": "1"}
            assert resource_version_of(watched.last.object) > resource_version_of(changed)

    async def test_an_object_that_crosses_the_selection_is_added_and_deleted_for_its_watcher(
        self, client: Client
    ) -> None:
        """Upstream's transitions, by label."""
        listed = await client.list(CONFIGMAPS)
        await client.create(CONFIGMAPS, a_config("a", {"app": "other"}))
        selection = Selection(namespace="default", label_selector="app=web")
        async with watching(client, CONFIGMAPS, listed.resource_version, selection) as watched:
            await client.patch(CONFIGMAPS, A, {"metadata": {"labels": {"app": "web"}}})
            await client.patch(CONFIGMAPS, A, {"data": {"x": "1"}})
            await client.patch(CONFIGMAPS, A, {"metadata": {"labels": {"app": "other"}}})
            assert await watched.wait(3) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]

    async def test_what_a_kubelet_watches_is_its_own_pods(self, client: Client) -> None:
        """By the field spec.nodeName."""
        listed = await client.list(PODS)
        selection = Selection(field_selector="spec.nodeName=n1")
        async with watching(client, PODS, listed.resource_version, selection) as watched:
            for name, node in (("a", "n1"), ("b", "n2")):
                await client.create(PODS, a_pod(name))
                target: dict[str, Any] = {"metadata": {"name": name}, "target": {"kind": "Node", "name": node}}
                await client.create_subresource(PODS, ObjectKey("default", name), "binding", target)
            await client.delete(PODS, A, DeleteOptions(grace_period_s=0))
            assert await watched.wait(2) == [("ADDED", "a"), ("DELETED", "a")]

    async def test_of_many_updates_from_one_version_exactly_one_wins(self, client: Client) -> None:
        """The others get Conflict."""
        made = await client.create(CONFIGMAPS, a_config(x="0"))

        async def attempt(number: int) -> bool:
            try:
                await client.update(CONFIGMAPS, {**made, "data": {"x": str(number)}})
            except ConflictError:
                return False
            return True

        assert sum(await all_of(attempt, range(1, 11))) == 1


async def all_of(run: Callable[[int], Awaitable[bool]], numbers: range) -> list[bool]:
    """Run all at once, and return what each gave."""
    results: list[bool] = []

    async def one(number: int) -> None:
        results.append(await run(number))

    async with asyncio.TaskGroup() as group:
        for number in numbers:
            group.create_task(one(number))
    return results
