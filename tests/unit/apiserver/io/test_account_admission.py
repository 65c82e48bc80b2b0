import asyncio
from dataclasses import replace

import pytest

from minikube_py.api.errors import ForbiddenError, NotFoundError
from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import NAMESPACES, PODS, SERVICE_ACCOUNTS
from minikube_py.client.io.rest_client import RestClient
from minikube_py.testing.loop_clock import LoopClock
from minikube_py.testing.memory_api_server import LOOPBACK_CONFIG, memory_api_server

pytestmark = pytest.mark.looptime
POD = {
    "metadata": {"name": "p", "namespace": "n"},
    "spec": {"containers": [{"name": "c", "image": "i"}], "terminationGracePeriodSeconds": 0},
}


async def a_client():
    server = memory_api_server(replace(LOOPBACK_CONFIG, disable_admission_plugins=()), clock=LoopClock())
    client = RestClient(server.local_transport(), "test", lambda: 60)
    await client.create(NAMESPACES, {"metadata": {"name": "n"}})
    return client


def account(name="default", **fields):
    return {"metadata": {"name": name, "namespace": "n"}, **fields}


async def test_a_pod_is_created_with_its_token_and_its_defaults():
    client = await a_client()
    await client.create(SERVICE_ACCOUNTS, account())
    spec = (await client.create(PODS, POD))["spec"]

    assert spec["serviceAccountName"] == "default"
    (volume,) = spec["volumes"]
    assert volume["name"].startswith("kube-api-access-")
    assert volume["projected"]["sources"][0]["serviceAccountToken"] == {"expirationSeconds": 3607, "path": "token"}
    assert spec["containers"][0]["volumeMounts"][0]["name"] == volume["name"]


async def test_a_pod_waits_a_moment_for_the_default_account():
    client = await a_client()
    async with asyncio.TaskGroup() as group:
        pod = group.create_task(client.create(PODS, POD))
        await asyncio.sleep(1)
        await client.create(SERVICE_ACCOUNTS, account())

    assert pod.result()["spec"]["volumes"]


@pytest.mark.parametrize("name", ["default", "none"])
async def test_a_pod_of_an_account_that_is_not_there_is_refused(name):
    client = await a_client()

    with pytest.raises(ForbiddenError) as refused:
        await client.create(PODS, {**POD, "spec": {**POD["spec"], "serviceAccountName": name}})
    why = f'error looking up service account n/{name}: serviceaccount "{name}" not found'
    assert refused.value.message == f'pods "p" is forbidden: {why}'


async def test_a_namespace_that_is_not_there_is_what_is_missing():
    client = await a_client()

    with pytest.raises(NotFoundError, match='namespaces "none" not found'):
        await client.create(PODS, {**POD, "metadata": {"name": "p", "namespace": "none"}})


async def test_a_mirror_pod_is_left_as_it_is():
    client = await a_client()
    meta = {**POD["metadata"], "annotations": {"kubernetes.io/config.mirror": "x"}}
    made = await client.create(PODS, {**POD, "metadata": meta})

    assert "volumes" not in made["spec"]
    assert "serviceAccountName" not in made["spec"]


async def test_a_mirror_pod_that_names_an_account_is_refused():
    client = await a_client()
    meta = {**POD["metadata"], "annotations": {"kubernetes.io/config.mirror": "x"}}

    with pytest.raises(ForbiddenError, match="a mirror pod may not reference service accounts"):
        await client.create(PODS, {**POD, "metadata": meta, "spec": {**POD["spec"], "serviceAccountName": "default"}})


async def test_a_pod_is_not_changed_again_by_an_update():
    client = await a_client()
    await client.create(SERVICE_ACCOUNTS, account(automountServiceAccountToken=False))
    await client.create(PODS, POD)
    patched = await client.patch(PODS, ObjectKey("n", "p"), {"metadata": {"labels": {"a": "b"}}})

    assert "volumes" not in patched["spec"]
