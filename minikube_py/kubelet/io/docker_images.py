"""Images at one engine (cri.ImageService).

A pull answers 200 at once and tells its failure inside the progress stream, without a status: the words decide what
kind of error it is. A pull that does not get on for so long as it is told is given up while it loads (unpacking
depends on no registry); to cancel the call cancels the pull.

Upstream: dockershim docker_image.go; cri-dockerd kube_docker_client.go (imagePullProgressDeadline).
"""

import asyncio
import base64
import json
from collections.abc import Sequence

import orjson

from minikube_py.kubelet.cri import ContainerRuntimeError, ImageRecord, RegistryAuth, RuntimeErrorKind
from minikube_py.kubelet.docker_pulls import DockerPull
from minikube_py.kubelet.docker_records import image_from_json, with_default_tag
from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.kubelet.io.image_import import import_archive
from minikube_py.kubelet.io.line_stream import split_lines
from minikube_py.kubelet.pull_progress import PullWatcher


class DockerImages:
    """The images of one engine."""

    def __init__(self, api: DockerApi, stall_s: float, *, pinned: Sequence[str] = ()) -> None:
        """`pinned` are names or ids of images that are never collected.

        A pull is given up when it has not got on for `stall_s`.
        """
        self._api = api
        self._stall_s = stall_s
        self._pinned = pinned

    async def image_status(self, image: str) -> ImageRecord | None:
        """Return the image by name or id, or None when it is not on the host."""
        try:
            return image_from_json(await self._api.inspect_image(image))
        except ContainerRuntimeError as error:
            if error.kind is RuntimeErrorKind.NOT_FOUND:
                return None
            raise

    async def pull_image(self, image: str, auth: RegistryAuth | None, told: PullWatcher) -> ImageRecord:
        """Pull `image` (`:latest` when it has neither tag nor digest) and return it."""
        wanted = with_default_tag(image)
        headers = {"X-Registry-Auth": _auth_header(auth)} if auth is not None else {}
        opening = self._api.stream("images/create", method="POST", params={"fromImage": wanted}, headers=headers)
        pull, loop = DockerPull(), asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._stall_s) as deadline, opening as chunks:
                async for line in split_lines(chunks):
                    pull.take(orjson.loads(line))
                    told(pull.progress())
                    deadline.reschedule(None if pull.is_loaded() else loop.time() + self._stall_s)
        except TimeoutError as error:
            words = f"pulling {wanted} was cancelled: no progress for {self._stall_s:g} s"
            raise ContainerRuntimeError(RuntimeErrorKind.TIMEOUT, words) from error
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


def _auth_header(auth: RegistryAuth) -> str:
    document = {"username": auth.username, "password": auth.password, "serveraddress": auth.server}
    if auth.identity_token:
        document["identitytoken"] = auth.identity_token
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode()
