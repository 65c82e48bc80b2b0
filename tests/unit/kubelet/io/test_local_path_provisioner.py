import asyncio
from contextlib import asynccontextmanager

import pytest

from minikube_py.api.errors import UnavailableError
from minikube_py.api.meta import ObjectKey
from minikube_py.api.persistent_volumes import SELECTED_NODE
from minikube_py.api.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES
from minikube_py.api.table.storage_v1 import STORAGE_CLASSES
from minikube_py.kubelet.io.local_path_provisioner import LocalPathProvisioner
from minikube_py.testing.kubelet_lab import a_kubelet_lab
from minikube_py.testing.volume_objects import a_claim, a_class

pytestmark = pytest.mark.looptime


def chosen(**spec):
    return a_claim(storageClassName="local-path", annotations={SELECTED_NODE: "n1"}, **spec)


@asynccontextmanager
async def provisioning(lab):
    await lab.client.create(STORAGE_CLASSES, a_class())
    provisioner = LocalPathProvisioner(lab.ports(), "n1", "/data")
    async with asyncio.TaskGroup() as group:
        task = group.create_task(provisioner.run())
        await asyncio.sleep(1)
        yield
        task.cancel()


def volumes(lab):
    return lab.client.objects(PERSISTENT_VOLUMES)


async def test_a_folder_and_a_volume_are_made_and_go_again():
    lab = a_kubelet_lab()
    async with provisioning(lab):
        await lab.client.create(PERSISTENT_VOLUME_CLAIMS, chosen())
        await asyncio.sleep(1)
        (volume,) = volumes(lab)
        path = volume["spec"]["hostPath"]["path"]
        assert path in lab.files.host
        status = {"status": {"phase": "Released"}}
        key = ObjectKey("", volume["metadata"]["name"])
        await lab.client.patch(PERSISTENT_VOLUMES, key, {"metadata": {"finalizers": None}})
        await lab.client.delete(PERSISTENT_VOLUME_CLAIMS, ObjectKey("default", "c"))
        await lab.client.patch(PERSISTENT_VOLUMES, key, status, subresource="status")
        await asyncio.sleep(1)

    assert path not in lab.files.host
    assert not volumes(lab)
    assert lab.events.reasons() == ["Provisioning", "ProvisioningSucceeded"]


async def test_a_claim_for_another_node_is_left():
    lab = a_kubelet_lab()
    async with provisioning(lab):
        other = a_claim(storageClassName="local-path", annotations={SELECTED_NODE: "n2"})
        await lab.client.create(PERSISTENT_VOLUME_CLAIMS, other)
        await asyncio.sleep(1)

    assert not volumes(lab)


async def test_what_cannot_be_made_is_said_once():
    lab = a_kubelet_lab()
    async with provisioning(lab):
        await lab.client.create(PERSISTENT_VOLUME_CLAIMS, chosen(volumeMode="Block"))
        await asyncio.sleep(1000)

    assert lab.events.reasons() == ["ProvisioningFailed"]


async def test_an_api_server_that_is_away_is_tried_again():
    lab = a_kubelet_lab()
    failures = [UnavailableError("away")]
    create = lab.client.create

    async def fail_once(resource, obj, **options):
        if resource is PERSISTENT_VOLUMES and failures:
            raise failures.pop()
        return await create(resource, obj, **options)

    async with provisioning(lab):
        lab.client.create = fail_once
        await create(PERSISTENT_VOLUME_CLAIMS, chosen())
        await asyncio.sleep(5)

    assert len(volumes(lab)) == 1
