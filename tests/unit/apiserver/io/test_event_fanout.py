from minikube_py.api.custom.rows import rows_of
from minikube_py.api.resources import CONFIGMAPS, PODS
from minikube_py.api.selectors import parse_field_selector, parse_label_selector
from minikube_py.apiserver.canonical import canonical, stamp
from minikube_py.apiserver.io.converted_watches import ConvertedWatches
from minikube_py.apiserver.io.event_fanout import EventFanout
from minikube_py.apiserver.io.heavy_work import HeavyWork
from minikube_py.apiserver.io.views import Views
from minikube_py.apiserver.list_options import Filter
from minikube_py.store.interface import Delete, Put
from minikube_py.store.io.memory_store import MemoryStore
from minikube_py.testing.custom_objects import a_served_definition, a_version, refuse_conversion
from minikube_py.testing.manual_clock import ManualClock


class Seen:
    """Remembers what it was told."""

    def __init__(self):
        self.events = []

    def deliver(self, batch):
        for change, change_type in batch:
            self.events.append((change_type, change.obj(change_type)["metadata"]["name"]))

    def end(self):
        self.events.append("end")


def a_store():
    return MemoryStore(stamp, ManualClock())


def a_fanout(store):
    views = Views(refuse_conversion, HeavyWork())
    return EventFanout(store, views, ConvertedWatches(views).take)


def a_pod(name, namespace="n", node="", **labels):
    meta = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"nodeName": node} if node else {}}


async def put(store, obj, resource=PODS):
    meta = obj["metadata"]
    await store.commit((Put(resource.storage_key(meta["namespace"], meta["name"]), canonical(obj), None),))


async def test_everybody_hears_what_concerns_them():
    store = a_store()
    watches = a_fanout(store).of(PODS)
    filters = {
        "all": Filter(),
        "other namespace": Filter("m"),
        "by name": Filter("n", fields=parse_field_selector("metadata.name=b")),
        "by node": Filter(fields=parse_field_selector("spec.nodeName=n1")),
        "by label": Filter(labels=parse_label_selector("color=blue")),
        "not by phase": Filter(fields=parse_field_selector("status.phase!=")),
    }
    seen = {name: Seen() for name in filters}
    for name, filter_ in filters.items():
        watches.join(filter_, seen[name], store.revision)

    await put(store, a_pod("a"))
    await put(store, a_pod("b", color="blue"))
    await put(store, a_pod("a", node="n1"))
    await put(store, a_pod("a", node="n2"))
    await put(store, a_pod("c", "m"))
    await put(store, {"metadata": {"name": "x", "namespace": "n"}}, CONFIGMAPS)
    await store.commit((Delete(PODS.storage_key("n", "b"), None),))

    everything = [
        ("ADDED", "a"),
        ("ADDED", "b"),
        ("MODIFIED", "a"),
        ("MODIFIED", "a"),
        ("ADDED", "c"),
        ("DELETED", "b"),
    ]
    assert {name: watcher.events for name, watcher in seen.items()} == {
        "all": everything,
        "other namespace": [("ADDED", "c")],
        "by name": [("ADDED", "b"), ("DELETED", "b")],
        "by node": [("ADDED", "a"), ("DELETED", "a")],
        "by label": [("ADDED", "b"), ("DELETED", "b")],
        "not by phase": [],
    }


async def test_who_has_left_hears_nothing_more_and_nothing_is_kept():
    store = a_store()
    watches = a_fanout(store).of(PODS)
    first, second = Seen(), Seen()
    filter_ = Filter(fields=parse_field_selector("spec.nodeName=n1"))
    membership = watches.join(filter_, first, store.revision)
    watches.join(filter_, second, store.revision)
    assert watches.count == 2

    membership.leave()
    membership.leave()
    await put(store, a_pod("a", node="n1"))
    assert (first.events, second.events, watches.count) == ([], [("ADDED", "a")], 1)


async def test_what_happened_before_joining_is_not_told_again():
    store = a_store()
    watches = a_fanout(store).of(PODS)
    await put(store, a_pod("a"))
    seen = Seen()
    watches.join(Filter(), seen, store.revision + 1)
    await put(store, a_pod("b"))
    await put(store, a_pod("c"))
    assert seen.events == [("ADDED", "c")]


async def test_a_watcher_may_leave_while_it_is_told():
    store = a_store()
    watches = a_fanout(store).of(PODS)
    leavers = []

    class Leaver(Seen):
        def deliver(self, batch):
            super().deliver(batch)
            leavers[0].leave()

    first, second = Leaver(), Seen()
    leavers.append(watches.join(Filter(), first, 0))
    watches.join(Filter(), second, 0)
    await put(store, a_pod("a"))
    await put(store, a_pod("b"))
    assert (len(first.events), len(second.events)) == (1, 2)


async def test_watches_of_a_resource_that_is_served_no_more_end():
    store = a_store()
    fanout = a_fanout(store)
    (row,) = rows_of(a_served_definition())
    watcher = Seen()
    fanout.of(row).join(Filter(), watcher, store.revision)
    widget = {"apiVersion": "ex.io/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "n"}}
    await put(store, widget, row)

    fanout.forget(row)

    assert watcher.events == [("ADDED", "w"), "end"]


async def test_who_watches_another_version_hears_of_it_in_that_version():
    store = a_store()
    fanout = a_fanout(store)
    newer, older = rows_of(a_served_definition(versions=(a_version("v1"), a_version("v2", storage=False))))
    seen = {row.version: [] for row in (older, newer)}
    for row in (older, newer):
        watcher = Seen()
        watcher.deliver = lambda batch, row=row: seen[row.version].extend(
            change.obj(kind)["apiVersion"] for change, kind in batch
        )
        fanout.of(row).join(Filter(), watcher, store.revision)

    await put(store, {"apiVersion": "ex.io/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "n"}}, older)

    assert seen == {"v1": ["ex.io/v1"], "v2": ["ex.io/v2"]}
