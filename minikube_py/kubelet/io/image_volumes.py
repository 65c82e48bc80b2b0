"""What an image holds, as a directory of a pod (ports.ImageVolumes).

Docker mounts images into containers from version 28 on, and only as an experiment. What every engine can do is to
show the file system of a container that was made and never started: it is written to the pod's directory, beside its
place first, so that a volume that is there is whole. The container is gone afterwards; one that a killed agent left
bears a name that says which volume it was for, and goes with the next try.

Files that Docker makes in every container are left out.
"""

import asyncio
import errno
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from hashlib import sha256

from minikube_py.kubelet.cri import ContainerRuntimeError, RuntimeErrorKind
from minikube_py.kubelet.io.docker_api import DockerApi

EXPORT_STALL_S = 60.0
"""An export that gives nothing for so long is given up."""
WORDS_BYTES_MAX = 4 << 10
_NAME = "minikube-py-image-volume-"
_OF_CONTAINERS = (
    ".dockerenv",
    "dev",
    "proc",
    "sys",
    *(f"etc/{name}" for name in ("hostname", "hosts", "mtab", "resolv.conf")),
)


class DockerImageVolumes:
    """The images of one engine on this host."""

    def __init__(self, api: DockerApi) -> None:
        self._api = api

    async def set_up_image(self, image_id: str, path: str) -> None:
        """Write what an image holds to `path`, unless it is there.

        Raises:
            ContainerRuntimeError: the engine does not give it.
            OSError: it cannot be written.
        """
        if await asyncio.to_thread(os.path.isdir, path):
            return
        name = _NAME + sha256(path.encode()).hexdigest()[:32]
        await self._remove(name)
        made = await self._api.create_container(name, {"Image": image_id, "Cmd": ["-"], "NetworkDisabled": True})
        try:
            async with self._api.stream(f"containers/{made}/export", params={}, stall_s=EXPORT_STALL_S) as chunks:
                await _write_tree(chunks, path)
        finally:
            await self._remove(name)

    async def _remove(self, name: str) -> None:
        try:
            await self._api.remove_container(name)
        except ContainerRuntimeError as error:
            if error.kind is not RuntimeErrorKind.NOT_FOUND:
                raise


async def _write_tree(chunks: AsyncIterator[bytes], path: str) -> None:
    beside = f"{path}.partial"
    await asyncio.to_thread(_make_afresh, beside)
    argv = ["tar", "--extract", "--directory", beside, "--numeric-owner", "--anchored"]
    argv += [f"--exclude={entry}" for entry in _OF_CONTAINERS]
    with tempfile.TemporaryFile() as words:
        tar = await asyncio.create_subprocess_exec(*argv, stdin=asyncio.subprocess.PIPE, stderr=words)
        try:
            await _feed(tar, chunks)
            if await tar.wait():
                words.seek(0)
                raise OSError(errno.EIO, words.read(WORDS_BYTES_MAX).decode(errors="replace").strip(), path)
        finally:
            if tar.returncode is None:
                tar.kill()
                await tar.wait()
    await asyncio.to_thread(_put_in_place, beside, path)


async def _feed(tar: asyncio.subprocess.Process, chunks: AsyncIterator[bytes]) -> None:
    assert tar.stdin is not None
    with suppress(ConnectionError):  # tar has ended, and has said why
        async for chunk in chunks:
            tar.stdin.write(chunk)
            await tar.stdin.drain()
    tar.stdin.close()


def _make_afresh(folder: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder, 0o755)


def _put_in_place(beside: str, path: str) -> None:
    with suppress(OSError):
        os.rmdir(f"{beside}/etc")  # Docker's files were all that was in it
    os.rename(beside, path)
