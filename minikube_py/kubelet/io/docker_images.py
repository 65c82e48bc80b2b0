"""Images at one engine (cri.ImageService).

A pull answers 200 at once and tells its failure inside the progress stream, without a status: the words decide what
kind of error it is. A pull without any progress for PULL_STALL_S is given up; to cancel the call cancels the pull.

Upstream: dockershim docker_image.go, libdocker kube_docker_client.go (progress deadline).
"""

import asyncio
import base64
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from minikube_py.kubelet.cri import ContainerRuntimeError, ImageRecord, RegistryAuth, RuntimeErrorKind
from minikube_py.kubelet.docker_records import image_from_json, pull_error, with_default_tag
from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.kubelet.io.image_import import import_archive
from minikube_py.kubelet.io.line_stream import split_lines

log = logging.getLogger("kubelet.docker")

PULL_STALL_S = 60.0
"""Upstream's --image-pull-progress-deadline."""
PROGRESS_S = 10.0
"""How often a pull that goes on is told in the log."""
LAYERS_MAX = 256
"""Layers counted for that; an image has at most 127."""


class DockerImages:
    """The images of one engine."""

    def __init__(self, api: DockerApi, *, pinned: Sequence[str] = ()) -> None:
        """`pinned` are names or ids of images that are never collected."""
        self._api = api
        self._pinned = pinned

    async def image_status(self, image: str) -> ImageRecord | None:
        """Return the image by name or id, or None when it is not on the host."""
        try:
            return image_from_json(await self._api.inspect_image(image))
        except ContainerRuntimeError as error:
            if error.kind is RuntimeErrorKind.NOT_FOUND:
                return None
            raise

    async def pull_image(self, image: str, auth: RegistryAuth | None) -> ImageRecord:
        """Pull `image` (`:latest` when it has neither tag nor digest) and return it."""
        wanted = with_default_tag(image)
        headers = {"X-Registry-Auth": _auth_header(auth)} if auth is not None else {}
        opening = self._api.stream(
            "images/create", method="POST", params={"fromImage": wanted}, headers=headers, stall_s=PULL_STALL_S
        )
        told = _Progress(wanted)
        try:
            async with opening as chunks:
                async for line in split_lines(chunks):
                    progress = orjson.loads(line)
                    if "error" in progress:
                        raise pull_error(progress)
                    told.take(progress)
        except ContainerRuntimeError as error:
            if error.kind is not RuntimeErrorKind.TIMEOUT:
                raise
            words = f"pulling {wanted} was cancelled: no progress for {PULL_STALL_S:g} s"
            raise ContainerRuntimeError(error.kind, words) from error
        return image_from_json(await self._api.inspect_image(wanted))

    async def list_images(self) -> tuple[ImageRecord, ...]:
        """Return all images that have a name or a container."""
        return tuple(image_from_json(entry, self._pinned) for entry in await self._api.list_images())

    async def tag_image(self, image: str, name: str) -> None:
        """Give an image one more name."""
        repository, _, tag = with_default_tag(name).rpartition(":")
        await self._api.tag_image(image, repository, tag)

    async def remove_image(self, image_id: str) -> None:
        """Remove an image with all its names; fine when it is gone.

        Raises:
            ContainerRuntimeError: CONFLICT, a container was made from it: it keeps all its names then.
        """
        found = await self.image_status(image_id)
        if found is None:
            return
        if users := await self._api.containers_of_image(found.id):
            words = f"image {image_id} is used by container {users[0]}"
            raise ContainerRuntimeError(RuntimeErrorKind.CONFLICT, words)
        # By id alone the engine refuses an image with several names ("referenced in multiple repositories").
        for name in (*found.repo_tags, *found.repo_digests, image_id):
            try:
                await self._api.remove_image(name)
            except ContainerRuntimeError as error:
                if error.kind is not RuntimeErrorKind.NOT_FOUND:
                    raise  # gone together with its last name: fine

    async def load_image(self, archive: bytes) -> None:
        """Load a `docker save` archive."""
        await self._api.load_images(archive)

    async def load_archive(self, path: str) -> tuple[str, ...]:
        """Load a `docker save` archive from a file."""
        return await import_archive(self._api, path)


class _Progress:
    """Says now and then how far a long pull is."""

    def __init__(self, image: str) -> None:
        self._image = image
        self._bytes: dict[str, tuple[int, int]] = {}
        self._said_s = asyncio.get_running_loop().time()

    def take(self, progress: Mapping[str, Any]) -> None:
        """Take over one line of the stream."""
        detail = progress.get("progressDetail") or {}
        if progress.get("status") == "Downloading" and len(self._bytes) < LAYERS_MAX:
            self._bytes[str(progress.get("id"))] = (int(detail.get("current") or 0), int(detail.get("total") or 0))
        if (now_s := asyncio.get_running_loop().time()) - self._said_s < PROGRESS_S:
            return
        self._said_s = now_s
        done, total = (sum(pair[at] for pair in self._bytes.values()) >> 20 for at in (0, 1))
        log.info("pulling %s: %d of %d MiB downloaded, %s", self._image, done, total, progress.get("status", ""))


def _auth_header(auth: RegistryAuth) -> str:
    document = {"username": auth.username, "password": auth.password, "serveraddress": auth.server}
    if auth.identity_token:
        document["identitytoken"] = auth.identity_token
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode()
