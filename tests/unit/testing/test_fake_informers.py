import pytest

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import PODS
from minikube_py.client.interface import Selection
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.fake_informers import FakeInformers
from minikube_py.testing.manual_clock import ManualClock

ON_N1 = Selection(field_selector="spec.nodeName=n1")


@pytest.fixture
def client() -> FakeClient:
    return FakeClient(ManualClock())


def a_pod(name: str) -> dict:
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {}}


async def test_an_informer_follows_each_change_at_once(client):
    informer = FakeInformers(client).informer(PODS)
    changes = []
    informer.subscribe(changes.append)

    made = await client.create(PODS, a_pod("a"))
    assert informer.get(ObjectKey("default", "a")) is made
    await client.delete(PODS, ObjectKey("default", "a"))
    assert informer.list() == ()
    assert [(c.old is None, c.new is None) for c in changes] == [(True, False), (False, True)]
    assert await informer.wait_revision(client.revision, 0)


async def test_a_subscriber_is_told_what_is_there_already(client):
    await client.create(PODS, a_pod("a"))
    seen = []
    FakeInformers(client).informer(PODS).subscribe(seen.append)

    assert [change.latest["metadata"]["name"] for change in seen] == ["a"]


async def test_a_selection_has_its_own_informer(client):
    informers = FakeInformers(client)
    mine = informers.informer(PODS, ON_N1)
    await client.create(PODS, a_pod("a"))
    await client.create(PODS, a_pod("b"))
    await client.create_subresource(PODS, ObjectKey("default", "b"), "binding", {"target": {"name": "n1"}})

    assert [pod["metadata"]["name"] for pod in mine.list()] == ["b"]
    assert informers.informer(PODS, ON_N1) is mine


async def test_a_paused_copy_is_stale_until_it_resumes(client):
    informers = FakeInformers(client)
    informer = informers.informer(PODS)
    informers.pause()
    await client.create(PODS, a_pod("a"))

    assert informer.list() == ()
    assert not await informer.wait_revision(1, 0)
    informers.resume()
    assert len(informer.list()) == 1
