import asyncio

import pytest

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import CONFIGMAPS, SERVICE_ACCOUNTS
from minikube_py.kubelet.downward import PodFacts
from minikube_py.kubelet.io.claim_reader import ClaimReader
from minikube_py.kubelet.io.object_reader import ObjectReader
from minikube_py.kubelet.io.object_watches import ObjectWatches
from minikube_py.kubelet.io.volume_preparer import VolumePreparer
from minikube_py.kubelet.pod import parse_pod
from minikube_py.kubelet.volumes import VolumeError, token_sources
from minikube_py.testing.kubelet_lab import a_kubelet_lab, a_pod

pytestmark = pytest.mark.looptime
REF = ("ConfigMap", "cm")


def config_map(value):
    return {"metadata": {"name": "cm", "namespace": "default"}, "data": {"k": value}}


async def read(reader):
    obj = (await reader.read("default", (REF,)))[REF]
    return None if obj is None else obj["data"]["k"]


async def test_an_object_is_read_again_after_its_time():
    lab = a_kubelet_lab()
    reader = ObjectReader(lab.client, lab.clock, 5.0)
    await lab.client.create(CONFIGMAPS, config_map("old"))
    first = await read(reader)
    await lab.client.patch(CONFIGMAPS, ObjectKey("default", "cm"), {"data": {"k": "new"}})
    at_once = await read(reader)
    await asyncio.sleep(6)

    assert (first, at_once, await read(reader)) == ("old", "old", "new")


async def test_what_was_missing_is_found_as_soon_as_it_is_there():
    lab = a_kubelet_lab()
    reader = ObjectReader(lab.client, lab.clock, 5.0)
    assert await read(reader) is None
    await lab.client.create(CONFIGMAPS, config_map("v"))

    assert await read(reader) == "v"


def with_token(expiration_s):
    token = {"serviceAccountToken": {"path": "token", "audience": "vault", "expirationSeconds": expiration_s}}
    mount = {"name": "c", "volumeMounts": [{"name": "t", "mountPath": "/t"}]}
    return parse_pod(a_pod("web", mount, volumes=[{"name": "t", "projected": {"sources": [token]}}]))


async def an_account(lab):
    await lab.client.create(SERVICE_ACCOUNTS, {"metadata": {"name": "default", "namespace": "default"}})
    return ObjectReader(lab.client, lab.clock, 5.0)


@pytest.mark.parametrize(("expiration_s", "renewed_s"), [(600, 480), (7 * 86400, 86400)], ids=["share", "a-day"])
async def test_a_volume_shows_a_new_token_before_the_old_one_expires(expiration_s, renewed_s):
    lab = a_kubelet_lab()
    reader, pod = await an_account(lab), with_token(expiration_s)
    watches = ObjectWatches(lab.client, lab.clock, lambda: 0.5, reader.learn)
    preparer = VolumePreparer(lab.config, lab.files, reader, watches, ClaimReader(lab.client, "n1"))

    async def shown():
        await preparer.prepare(pod, PodFacts("192.0.2.1", "", {}))
        ((token,),) = lab.files.payloads.values()
        return token.data.decode()

    first = await shown()
    await asyncio.sleep(renewed_s - 1)
    assert await shown() == first
    await asyncio.sleep(1)
    assert await shown() != first


async def test_a_token_serves_on_while_there_is_no_other_and_it_has_not_expired():
    lab = a_kubelet_lab()
    reader, pod = await an_account(lab), with_token(600)
    sources = token_sources(pod.volumes)
    first = await reader.tokens(pod, sources)
    await lab.client.delete(SERVICE_ACCOUNTS, ObjectKey("default", "default"))
    await asyncio.sleep(590)
    assert await reader.tokens(pod, sources) == first

    await asyncio.sleep(20)
    with pytest.raises(VolumeError, match="failed to fetch token"):
        await reader.tokens(pod, sources)
