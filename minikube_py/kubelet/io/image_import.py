"""What `minikube-py image` does: the images that a node needs, without a registry.

Works with and without a running agent: it talks to the engine only.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from minikube_py.kubelet.cri import ContainerRuntimeError, ImageRecord, RuntimeErrorKind
from minikube_py.kubelet.docker_records import image_from_json
from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.kubelet.io.pause_source import build_for

BLOCK_BYTES = 1 << 20


async def build_pause(api: DockerApi) -> ImageRecord:
    """Make the pause image for the engine's processor, load it, and return it; fine when it is there."""
    image = build_for(str((await api.version())["Arch"]))
    await api.load_images(image.archive)
    return image_from_json(await api.inspect_image(image.tag))


async def import_archive(api: DockerApi, path: str) -> tuple[str, ...]:
    """Load a `docker save` archive (plain, gzip, bzip2 or xz) and return the names or ids of its images.

    Raises:
        ContainerRuntimeError: the engine refused it; REFUSED also when it holds no image.
        OSError: the file cannot be read.
    """
    # Opened here: an error inside the request's body would be told as a lost connection.
    file = await asyncio.to_thread(Path(path).open, "rb")
    try:
        loaded = tuple(await api.load_images(_blocks(file)))
    finally:
        file.close()
    if not loaded:
        raise ContainerRuntimeError(
            RuntimeErrorKind.REFUSED, f"{path} holds no image (a `docker save` archive is needed)"
        )
    return loaded


async def list_images(api: DockerApi) -> tuple[ImageRecord, ...]:
    """Return all images that have a name or a container, by name."""
    records = [image_from_json(entry) for entry in await api.list_images()]
    return tuple(sorted(records, key=lambda record: (record.repo_tags, record.id)))


async def _blocks(file: BinaryIO) -> AsyncIterator[bytes]:
    while block := await asyncio.to_thread(file.read, BLOCK_BYTES):
        yield block
