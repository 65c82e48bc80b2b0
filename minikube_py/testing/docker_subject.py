"""A real engine as a subject for tests: its own node name, the busybox image, and nothing left behind."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache

from minikube_py.kit.io.system_clock import SystemClock, system_ids
from minikube_py.kubelet.cri import ContainerRuntimeError
from minikube_py.kubelet.docker_names import NODE
from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.kubelet.io.docker_images import DockerImages
from minikube_py.kubelet.io.docker_runtime import DockerRuntime
from minikube_py.testing.images import BUSYBOX_TAG, FURTHER_TAG, host_busybox_image

DOCKER_HOST = os.environ.get("MINIKUBE_PY_DOCKER_HOST", "unix:///var/run/docker.sock")

PULL_STALL_S = 60.0


@dataclass(frozen=True, slots=True)
class DockerSubject:
    """A runtime of a node that exists for one test only."""

    api: DockerApi
    runtime: DockerRuntime
    images: DockerImages
    node_name: str
    image: str
    image_id: str


_busybox_image = lru_cache(host_busybox_image)


async def load_busybox(api: DockerApi) -> str:
    """Make sure that the engine has the test image, and return its id."""
    images = DockerImages(api, stall_s=PULL_STALL_S)
    image = _busybox_image()
    if (found := await images.image_status(image.id)) is None or BUSYBOX_TAG not in found.repo_tags:
        await images.load_image(image.archive)
    record = await images.image_status(BUSYBOX_TAG)
    assert record is not None, "the engine loaded the test image under another name"
    return record.id


@asynccontextmanager
async def docker_subject(docker_host: str = DOCKER_HOST) -> AsyncGenerator[DockerSubject, None]:
    """Give a runtime whose containers are all removed at the end, whatever the test did."""
    api, ids = DockerApi(docker_host), system_ids()
    node_name = f"test-{ids.new_suffix(8)}"
    try:
        image_id = await load_busybox(api)
        runtime = DockerRuntime(api, node_name=node_name, clock=SystemClock(), ids=ids)
        yield DockerSubject(api, runtime, DockerImages(api, stall_s=PULL_STALL_S), node_name, BUSYBOX_TAG, image_id)
    finally:
        for entry in await api.list_containers((f"{NODE}={node_name}",)):
            await api.remove_container(str(entry["Id"]))
        with suppress(ContainerRuntimeError):  # most tests never gave it
            await api.remove_image(FURTHER_TAG)
        await api.close()
