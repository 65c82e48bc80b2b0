"""A real engine for the tests of this folder, and nothing of ours left on it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.testing.docker_subject import DOCKER_HOST, DockerSubject, docker_subject, load_busybox
from minikube_py.testing.images import BUSYBOX_TAG


@pytest.fixture(scope="session")
def busybox_image() -> str:
    """Load an image of this host's busybox, and return its name."""

    async def load() -> None:
        api = DockerApi(DOCKER_HOST)
        try:
            await load_busybox(api)
        finally:
            await api.close()

    asyncio.run(load())
    return BUSYBOX_TAG


@pytest.fixture
async def docker() -> AsyncIterator[DockerSubject]:
    """Give a runtime whose containers are gone after the test."""
    async with docker_subject() as subject:
        yield subject


@pytest.fixture(scope="session")
def binary() -> Path:
    """Give the one file; `scripts/test` builds it before."""
    file = Path(__file__).parents[2] / "dist/minikube-py"
    if not file.exists():
        pytest.fail(f"{file} is missing: build it with scripts/build-binary")
    return file
