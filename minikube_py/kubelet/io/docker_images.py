"""Images at one engine (cri.ImageService).

A pull answers 200 at once and tells its failure inside the progress stream, without a status: the words decide what
kind of error it is. A pull without any progress for PULL_STALL_S is given up; to cancel the call cancels the pull.

Upstream: dockershim docker_image.go, libdocker kube_docker_client.go (progress deadline).
"""

import base64
import json

import orjson

from minikube_py.kubelet.cri import ContainerRuntimeError, ImageRecord, RegistryAuth, RuntimeErrorKind
from minikube_py.kubelet.docker_records import image_from_json, pull_error_kind, with_default_tag
from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.kubelet.io.line_stream import split_lines

PULL_STALL_S = 60.0
"""Upstream's --image-pull-progress-deadline."""


class DockerImages:
    """The images of one engine."""

    def __init__(self, api: DockerApi) -> None:
        self._api = api

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
        async with opening as chunks:
            async for line in split_lines(chunks):
                progress = orjson.loads(line)
                if "error" in progress:
                    words = str(progress["error"])
                    raise ContainerRuntimeError(pull_error_kind(words), words)
        return image_from_json(await self._api.inspect_image(wanted))

    async def list_images(self) -> tuple[ImageRecord, ...]:
        """Return all images that have a name or a container."""
        return tuple(image_from_json(entry) for entry in await self._api.list_images())

    async def remove_image(self, image_id: str) -> None:
        """Remove an image with all its names; CONFLICT while a container refers to it, fine when it is gone."""
        found = await self.image_status(image_id)
        if found is None:
            return
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


def _auth_header(auth: RegistryAuth) -> str:
    document = {"username": auth.username, "password": auth.password, "serveraddress": auth.server}
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode()
