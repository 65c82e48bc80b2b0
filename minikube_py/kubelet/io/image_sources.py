"""Pulls an image from where it can be had: mirrors, then its registry, with what credentials each place may see.

A pod's secrets are read for its pulls only. A password goes to the registry that it names and to no mirror of that
registry; a mirror's own comes from `registries.yaml`, or from a secret that names the mirror.

Upstream: kuberuntime_image.go (PullImage), kubelet_pods.go (getPullSecretsForPod), images/pullmanager.
"""

import logging
from collections.abc import Sequence

from minikube_py.api.errors import StatusError
from minikube_py.api.meta import Obj
from minikube_py.kit.token_bucket import TokenBucket
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.cri import ContainerRuntimeError, ImageRecord, RuntimeErrorKind
from minikube_py.kubelet.images import ImageName, joined_errors, missing_secrets_message, parse_image_name
from minikube_py.kubelet.io.credential_providers import CredentialProviders
from minikube_py.kubelet.io.object_reader import ObjectReader
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.ports import KubeletPorts
from minikube_py.kubelet.pull_progress import PullWatcher
from minikube_py.kubelet.pull_records import PullRecords, parse_pull_records
from minikube_py.kubelet.registries import PullPlace, pull_places
from minikube_py.kubelet.registry_credentials import (
    BadCredentialsError,
    Credential,
    matching_credentials,
    parse_docker_config,
    secret_credentials,
)

log = logging.getLogger("kubelet")

CONFIG_BYTES_MAX = 1 << 20
RECORDS_BYTES_MAX = 64 << 20


class ImageSources:
    """One for the kubelet."""

    def __init__(self, config: KubeletConfig, ports: KubeletPorts, objects: ObjectReader) -> None:
        self._config = config
        self._ports = ports
        self._objects = objects
        self._records: PullRecords | None = None
        self._providers = CredentialProviders(
            config.credential_providers, config.image_credential_provider_bin_dir, objects, ports.clock
        )
        self._pulls = TokenBucket(float(config.registry_burst), ports.clock.now_s())

    async def find(self, name: ImageName) -> ImageRecord | None:
        """Return an image that is on the host.

        What was pulled by its digest from a mirror bears only the mirror's name: a digest cannot be tagged.

        Raises:
            ContainerRuntimeError: the engine does not say.
        """
        image = await self._ports.images.image_status(name.text)
        if image is None and name.digest and name.repository:
            for place in self._places(name):
                if place.is_mirror and (image := await self._ports.images.image_status(place.image)) is not None:
                    return image
        return image

    async def may_use(self, pod: Pod, name: ImageName, image: ImageRecord) -> bool:
        """Return whether a pod may use an image that is on the host without asking the registry.

        Raises:
            BadCredentialsError: a pull secret cannot be read.
        """
        records = await self._read_records()
        if not name.repository or records.is_open(image.id, name.repository):
            return True
        from_registries = {parse_image_name(digest).repository for digest in image.repo_digests}
        if name.repository not in from_registries and not records.knows(image.id, name.repository):
            return True
        shown = secret_credentials(await self._secrets(pod))
        try:
            account = await self._providers.origin(pod)
        except StatusError as error:
            log.warning("service account of pod %s is not known: %s", pod.key, error.message)
            account = ""
        return not records.must_pull(image.id, name.repository, shown, account)

    async def pull(self, pod: Pod | None, name: ImageName, told: PullWatcher) -> ImageRecord:
        """Pull an image and give it the name that the pod asks for; without a pod, with the node's credentials alone.

        Raises:
            ContainerRuntimeError: no place gave it; the message has the words of all of them.
            BadCredentialsError: a pull secret cannot be read.
        """
        secrets = await self._secrets(pod) if pod is not None else []
        credentials = (*secret_credentials(secrets), *await self._node_credentials())
        failures: list[ContainerRuntimeError] = []
        messages: list[str] = []
        for place in self._places(name):
            known = await self._providers.credentials(place.repository, pod)
            for credential in self._tries(place, (*credentials, *known)):
                try:
                    self._take_turn()
                    auth = credential.auth if credential else None
                    image = await self._ports.images.pull_image(place.image, auth, told)
                    if place.is_mirror and not name.digest:
                        await self._ports.images.tag_image(image.id, name.text)
                except ContainerRuntimeError as error:
                    log.info("image %s is not to be had as %s: %s", name.text, place.image, error.message)
                    failures.append(error)
                    messages.append(f"{place.host}: {error.message}" if place.is_mirror else error.message)
                    continue
                await self._note_pull(image.id, name.repository, credential)
                return image
        raise ContainerRuntimeError(failures[-1].kind, joined_errors(messages)) from failures[-1]

    def _take_turn(self) -> None:
        """Count a pull, so that registries are not asked more often than they bear."""
        if self._config.registry_pull_qps <= 0:
            return
        now_s = self._ports.clock.now_s()
        bucket = self._pulls.refilled(self._config.registry_pull_qps, self._config.registry_burst, now_s)
        left = bucket.taken()
        self._pulls = left or bucket
        if left is None:
            raise ContainerRuntimeError(RuntimeErrorKind.REFUSED, "pull QPS exceeded")

    def _places(self, name: ImageName) -> tuple[PullPlace, ...]:
        return pull_places(name, self._config.registries)

    def _tries(self, place: PullPlace, credentials: Sequence[Credential]) -> Sequence[Credential | None]:
        own = self._config.registries.auth(place.host)
        from_file = (Credential(place.host, own),) if own is not None else ()
        matching = matching_credentials(credentials, place.repository)
        return (from_file + matching if place.is_mirror else matching + from_file) or (None,)

    async def _secrets(self, pod: Pod) -> list[Obj]:
        names = [name for name in pod.image_pull_secrets if name]
        found: list[Obj] = []
        missing: list[str] = []
        for name in names:
            try:
                read = await self._objects.read(pod.namespace, (("Secret", name),))
            except StatusError as error:
                log.warning("pull secret %s/%s is not known: %s", pod.namespace, name, error.message)
                read = {}
            obj = read.get(("Secret", name))
            if obj is None:
                missing.append(name)
            else:
                found.append(obj)
        if missing:
            message = missing_secrets_message(missing)
            self._ports.recorder.record(pod.involved, "Warning", "FailedToRetrieveImagePullSecret", message)
        return found

    async def _node_credentials(self) -> tuple[Credential, ...]:
        found: list[Credential] = []
        for path in self._config.docker_config_paths:
            try:
                text = await self._ports.files.read_file(path, CONFIG_BYTES_MAX)
                found += parse_docker_config(text) if text else ()
            except (OSError, BadCredentialsError) as error:
                log.warning("%s: %s", path, error)
        return tuple(found)

    @property
    def _records_path(self) -> str:
        return f"{self._config.root_dir}/image-pulls.json"

    async def _read_records(self) -> PullRecords:
        if self._records is None:
            text = await self._ports.files.read_file(self._records_path, RECORDS_BYTES_MAX)
            try:
                read = parse_pull_records(text) if text else PullRecords()
            except ValueError as error:
                log.warning("%s is not used, images count as preloaded: %s", self._records_path, error)
                read = PullRecords()
            self._records = self._records or read
        return self._records

    async def note_removed(self, image_id: str) -> None:
        """Forget who pulled an image that is gone."""
        await self._keep((await self._read_records()).without(image_id))

    async def _note_pull(self, image_id: str, repository: str, used: Credential | None) -> None:
        await self._keep((await self._read_records()).with_pull(image_id, repository, used))

    async def _keep(self, records: PullRecords) -> None:
        if records is self._records:
            return
        self._records = records
        try:
            await self._ports.files.write_file(self._records_path, records.render(), 0o600)
        except OSError as error:
            # Known in memory; after a restart the image counts as preloaded.
            log.warning("%s is not written: %s", self._records_path, error)
