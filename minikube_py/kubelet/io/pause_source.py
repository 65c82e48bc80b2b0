"""Where the sandbox's image comes from: made by the program and loaded when the engine does not have it.

It is addressed by id, so that a moved tag changes nothing. Engines with the containerd image store call an image by
another digest than its config's; there the id is looked up by the tag once it is loaded. `docker image prune` may
take the image away while no pod runs: the next sandbox finds it missing and loads it again.
"""

from minikube_py.kubelet.cri import ContainerRuntimeError, RuntimeErrorKind
from minikube_py.kubelet.image_archive import ImageArchive
from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.kubelet.pause_image import ARCHITECTURES, build_pause_image


class PauseSource:
    """Gives the id of the image that sandboxes are made from."""

    def __init__(self, api: DockerApi, configured: str = "") -> None:
        self._api = api
        self._configured = configured
        """`--pause-image`: an image of the user's own, which must be on the host; empty for the one we make."""
        self._id = ""

    @property
    def is_ours(self) -> bool:
        """Return whether it is the image that we make, with all its programs."""
        return not self._configured

    async def image_id(self) -> str:
        """Return the image's id, loading the image if need be.

        Raises:
            ContainerRuntimeError: the configured image is missing, or there is no code for this processor.
        """
        if not self._id:
            self._id = await self._find(self._configured) if self._configured else await self._load_ours()
        return self._id

    def forget(self) -> None:
        """Look again next time: a create said that the image is gone."""
        self._id = ""

    async def _load_ours(self) -> str:
        image = build_for(str((await self._api.version())["Arch"]))
        try:
            return await self._find(image.id)
        except ContainerRuntimeError as error:
            if error.kind is not RuntimeErrorKind.NOT_FOUND:
                raise
        await self._api.load_images(image.archive)
        return await self._find(image.tag)

    async def _find(self, image: str) -> str:
        return str((await self._api.inspect_image(image))["Id"])


def build_for(architecture: str) -> ImageArchive:
    """Return the pause image for Docker's name of an architecture.

    Raises:
        ContainerRuntimeError: REFUSED, there is no code for it.
    """
    if architecture not in ARCHITECTURES:
        raise ContainerRuntimeError(
            RuntimeErrorKind.REFUSED,
            f"no pause program for {architecture} (there is one for {', '.join(ARCHITECTURES)}): give --pause-image",
        )
    return build_pause_image(architecture)
