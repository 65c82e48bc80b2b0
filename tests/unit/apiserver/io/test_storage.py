import asyncio
from contextlib import nullcontext
from dataclasses import replace
from random import Random

import orjson
import pytest

from minikube_py.api.errors import AlreadyExistsError, ConflictError, NotFoundError, TooLargeError, UnavailableError
from minikube_py.api.meta import copy_object
from minikube_py.api.resources import CONFIGMAPS, EVENTS, NAMESPACES, SERVICES
from minikube_py.api.resources import PERSISTENT_VOLUME_CLAIMS as CLAIMS
from minikube_py.apiserver.canonical import kept, stamp
from minikube_py.apiserver.config import ApiServerConfig
from minikube_py.apiserver.decisions import Write, complete_nothing
from minikube_py.apiserver.deletion import delete
from minikube_py.apiserver.io.admission_chain import AdmissionChain
from minikube_py.apiserver.io.admission_sources import AdmissionSources
from minikube_py.apiserver.io.heavy_work import HeavyWork
from minikube_py.apiserver.io.service_allocation import ServiceAllocation, ranges_of
from minikube_py.apiserver.io.storage import Storage, StoragePorts
from minikube_py.apiserver.io.stored_lookups import StoredLookups
from minikube_py.apiserver.io.views import Views
from minikube_py.apiserver.options import RemovalOptions, WriteOptions
from minikube_py.apiserver.routes import Route
from minikube_py.apiserver.verbs import update
from minikube_py.apiserver.weight import OBJECT_BYTES_MAX
from minikube_py.store.interface import StoreReadOnlyError
from minikube_py.store.io.memory_store import MemoryStore
from minikube_py.testing.custom_objects import refuse_conversion
from minikube_py.testing.manual_clock import ManualClock
from minikube_py.testing.no_admission import NoAdmission
from minikube_py.testing.sequential_ids import sequential_ids

OPTIONS = WriteOptions(field_manager="test")
MAPS = Route(CONFIGMAPS, "create", "n", "c")


class SlowStore(MemoryStore):
    """Lets others run before each commit, as a disk does."""

    read_only = False

    async def commit(self, operations):
        if self.read_only:
            raise StoreReadOnlyError("disk full")
        await asyncio.sleep(0)
        return await super().commit(operations)


def nothing_to_hold():
    return nullcontext(complete_nothing)


def built_in_admission(durable):
    """What every server has: the plug-ins, and no webhook or policy."""
    sources, heavy_work = AdmissionSources(durable, lambda: None), HeavyWork()
    lookups, views = StoredLookups(durable), Views(refuse_conversion, heavy_work)
    return AdmissionChain(sources, lookups, None, views, sequential_ids(), heavy_work, ApiServerConfig())


async def a_storage(make_admission=lambda durable: NoAdmission()):
    clock, heavy_work = ManualClock(), HeavyWork()
    durable, volatile = SlowStore(stamp, clock), SlowStore(stamp, clock, 1000)
    config = ApiServerConfig(service_cluster_ip_range="10.96.0.0/29", cluster_dns="")
    allocation = ServiceAllocation(durable, ranges_of(config), Random(0))
    completions = {SERVICES.qualified: allocation.holding}
    storage = Storage(
        StoragePorts(
            durable=durable,
            volatile=volatile,
            clock=clock,
            ids=sequential_ids(),
            completions=lambda resource, wall_s: completions.get(resource.qualified, nothing_to_hold)(),
            views=Views(refuse_conversion, heavy_work),
            admission=make_admission(durable),
            heavy_work=heavy_work,
        )
    )
    await storage.create(Route(NAMESPACES, "create", "", "n"), {"metadata": {"name": "n"}}, OPTIONS)
    return storage


def a_map(name="c", **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def gone(resource):
    return lambda old, now_s: delete(resource, old, RemovalOptions(), now_s)


def adding(key):
    """A change that keeps what others wrote: like a merge patch."""

    def decide(old, context):
        new = copy_object(old)
        new.setdefault("data", {})[key] = "1"
        return update(CONFIGMAPS, old, new, context)

    return decide


async def test_what_is_created_can_be_read():
    storage = await a_storage()
    stored = await storage.create(MAPS, a_map(a="1"), OPTIONS)
    assert stored.created
    assert storage.get(MAPS).value == stored.value
    with pytest.raises(AlreadyExistsError, match='configmaps "c" already exists'):
        await storage.create(MAPS, a_map(), OPTIONS)
    with pytest.raises(NotFoundError, match='configmaps "d" not found'):
        storage.get(replace(MAPS, name="d"))


async def test_what_a_change_replaces_is_not_kept_as_a_parsed_object():
    storage = await a_storage()
    await storage.create(MAPS, a_map(), OPTIONS)
    before = storage.get(MAPS)
    await storage.change(MAPS, OPTIONS, adding("a"))
    assert storage.get(MAPS) is not before
    assert kept(before) is None


async def test_an_object_does_not_grow_beyond_what_may_be_stored_patch_after_patch():
    storage = await a_storage()
    await storage.create(MAPS, a_map(), OPTIONS)
    longer = "x" * (OBJECT_BYTES_MAX // 2)

    def add(old, context):
        new = copy_object(old)
        new["metadata"].setdefault("annotations", {})[str(len(new["metadata"]["annotations"]))] = longer
        return Write(new)

    await storage.change(MAPS, OPTIONS, add)
    for options in (OPTIONS, replace(OPTIONS, dry_run=True)):
        with pytest.raises(TooLargeError):
            await storage.change(MAPS, options, add)


async def test_side_by_side_changes_all_get_through_and_each_is_decided_once():
    storage = await a_storage(built_in_admission)
    claim = Route(CLAIMS, "create", "n", "c")
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": ""}
    body = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"}, "spec": spec}
    await storage.create(claim, body, OPTIONS)
    decided = []

    def labelled(number):
        def decide(old, context):
            decided.append(number)
            new = copy_object(old)
            new["metadata"].setdefault("labels", {})[f"k{number}"] = "1"
            return update(CLAIMS, old, new, context)

        return decide

    async with asyncio.TaskGroup() as group:
        for number in range(200):
            group.create_task(storage.change(claim, OPTIONS, labelled(number)))
    assert len(orjson.loads(storage.get(claim).value)["metadata"]["labels"]) == 200
    assert sorted(decided) == list(range(200))


async def test_of_side_by_side_replacements_of_one_version_one_wins():
    storage = await a_storage()
    stored = await storage.create(MAPS, a_map(), OPTIONS)
    version = orjson.loads(stored.value)["metadata"]["resourceVersion"]
    outcomes = []

    async def replace_with(value):
        new = a_map(a=value)
        new["metadata"]["resourceVersion"] = version
        try:
            await storage.change(MAPS, OPTIONS, lambda old, ctx: update(CONFIGMAPS, old, copy_object(new), ctx))
            outcomes.append("won")
        except ConflictError:
            outcomes.append("lost")

    async with asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(replace_with(str(number)))
    assert sorted(outcomes) == ["lost"] * 4 + ["won"]


async def test_of_side_by_side_creations_one_wins():
    storage = await a_storage()
    outcomes = []

    async def create():
        try:
            await storage.create(MAPS, a_map(), OPTIONS)
            outcomes.append("won")
        except AlreadyExistsError:
            outcomes.append("lost")

    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(create())
    assert sorted(outcomes) == ["lost"] * 4 + ["won"]


async def test_a_generated_name_that_is_taken_is_generated_again():
    storage = await a_storage()
    suffixes = iter(["aaaaa", "aaaaa", "bbbbb"])
    storage._ids = replace(storage._ids, new_suffix=lambda length: next(suffixes))
    made = [
        await storage.create(replace(MAPS, name=""), {**a_map(), "metadata": {"generateName": "g-"}}, OPTIONS)
        for _ in range(2)
    ]
    assert [orjson.loads(stored.value)["metadata"]["name"] for stored in made] == ["g-aaaaa", "g-bbbbb"]


async def test_a_dry_run_answers_and_stores_nothing():
    storage = await a_storage()
    dry = replace(OPTIONS, dry_run=True)
    created = await storage.create(MAPS, a_map(a="1"), dry)
    assert "resourceVersion" not in orjson.loads(created.value)["metadata"]
    with pytest.raises(NotFoundError):
        storage.get(MAPS)

    before = await storage.create(MAPS, a_map(a="1"), OPTIONS)
    changed = await storage.change(MAPS, dry, adding("b"))
    removed = await storage.remove(
        MAPS, lambda old, now: delete(CONFIGMAPS, old, RemovalOptions(), now), dry_run=True
    )
    assert orjson.loads(changed.value)["data"] == {"a": "1", "b": "1"}
    assert removed.removed
    assert storage.get(MAPS).value == before.value


async def test_a_change_of_what_is_missing_creates_where_that_is_allowed():
    storage = await a_storage()
    with pytest.raises(NotFoundError):
        await storage.change(MAPS, OPTIONS, adding("a"))
    made = await storage.change(MAPS, OPTIONS, adding("a"), make=lambda: a_map(b="1"))
    assert made.created
    assert orjson.loads(made.value)["data"] == {"b": "1"}


async def test_events_are_kept_apart_from_what_is_durable():
    storage = await a_storage()
    involved = {"kind": "Pod", "namespace": "n", "name": "p"}
    event = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}, "involvedObject": involved}
    before = storage.store_of(CONFIGMAPS).revision
    await storage.create(Route(EVENTS, "create", "n", "e"), event, OPTIONS)
    assert storage.store_of(CONFIGMAPS).revision == before
    assert storage.store_of(EVENTS).revision == 1001


async def test_a_store_that_takes_no_writes_is_said_to_be_unavailable():
    storage = await a_storage()
    storage.store_of(CONFIGMAPS).read_only = True
    with pytest.raises(UnavailableError, match="disk full"):
        await storage.create(MAPS, a_map(), OPTIONS)


async def test_side_by_side_services_get_different_addresses_until_there_are_none():
    storage = await a_storage()
    outcomes = []

    async def create(name):
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}}
        spec = {"type": "NodePort", "ports": [{"port": 80, "protocol": "TCP"}]}
        try:
            stored = await storage.create(Route(SERVICES, "create", "n", name), {**service, "spec": spec}, OPTIONS)
            outcomes.append(orjson.loads(stored.value)["spec"])
        except Exception as error:
            outcomes.append(str(error))

    async with asyncio.TaskGroup() as group:
        for number in range(8):
            group.create_task(create(f"s{number}"))
    given = [outcome for outcome in outcomes if not isinstance(outcome, str)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert len({spec["clusterIP"] for spec in given}) == 6
    assert len({spec["ports"][0]["nodePort"] for spec in given}) == 6
    assert len(refused) == 2
    assert all("range is full" in text for text in refused)


async def test_what_a_deleted_service_had_can_be_given_again():
    storage = await a_storage()
    spec = {"clusterIP": "10.96.0.3", "ports": [{"port": 80, "protocol": "TCP"}]}
    for _ in range(2):
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": copy_object(spec)}
        route = Route(SERVICES, "create", "n", "s")
        await storage.create(route, service, OPTIONS)
        await storage.remove(route, gone(SERVICES), dry_run=False)
