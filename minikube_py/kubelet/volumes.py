"""What stands in the files of ConfigMap, Secret, downwardAPI and projected volumes, and where volumes stand on disk.

A payload is a sorted tuple of files; `io/atomic_writer.py` writes it so that readers see either the old or the
new one whole. Upstream: volume/configmap MakePayload, volume/secret, volume/downwardapi, volume/projected.
"""

import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from minikube_py.api.meta import Obj
from minikube_py.kubelet.downward import PodFacts, field_value, resource_value
from minikube_py.kubelet.environment import ObjectRef, decode_base64, missing_object
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_volumes import (
    ClaimVolume,
    DownwardSource,
    EmptyDirVolume,
    ImageVolume,
    NfsVolume,
    ObjectSource,
    ProjectedVolume,
    TokenSource,
    Volume,
)
from minikube_py.kubelet.security import common_user

OWNED_TOKEN_MODE = 0o600
"""Of a token that one user, or fsGroup, is to read; fsGroup adds its own read bit."""
_NO_KEY = {
    "ConfigMap": "configmap references non-existent config key",
    "Secret": "references non-existent secret key",
}
_PLUGINS = {
    EmptyDirVolume: "empty-dir",
    NfsVolume: "nfs",
    ClaimVolume: "persistent-volume-claim",
    ImageVolume: "image",
}
"""Upstream's plugin names as they stand in paths."""


class VolumeError(Exception):
    """A volume cannot be set up now; the message is what stands in FailedMount."""


@dataclass(frozen=True, slots=True)
class ProjectedFile:
    """One file of a payload: a relative path, its bytes and its mode."""

    path: str
    data: bytes
    mode: int
    owner: int | None = None
    """The user that the file belongs to; None: root."""


@dataclass(frozen=True, slots=True)
class VolumeInputs:
    """What payloads are made from."""

    objects: Mapping[ObjectRef, Obj | None]
    tokens: Mapping[TokenSource, str]
    facts: PodFacts


def referenced_objects(volumes: Iterable[Volume]) -> tuple[ObjectRef, ...]:
    """Return the ConfigMaps and Secrets that the volumes show, each once, sorted."""
    found: set[ObjectRef] = set()
    for volume in volumes:
        if isinstance(volume.source, ProjectedVolume):
            found |= {(s.kind, s.name) for s in volume.source.sources if isinstance(s, ObjectSource)}
    return tuple(sorted(found))


def token_sources(volumes: Iterable[Volume]) -> tuple[TokenSource, ...]:
    """Return the service account tokens that the volumes show, each once."""
    found: dict[TokenSource, None] = {}
    for volume in volumes:
        if isinstance(volume.source, ProjectedVolume):
            found.update({s: None for s in volume.source.sources if isinstance(s, TokenSource)})
    return tuple(found)


def render_payload(pod: Pod, volume: ProjectedVolume, inputs: VolumeInputs) -> tuple[ProjectedFile, ...]:
    """Return the files of a volume; a later source wins over an earlier one at the same path.

    Raises:
        VolumeError: an object or key that is not optional is missing, or a path leads out of the volume.
    """
    files: dict[str, ProjectedFile] = {}
    for source in volume.sources:
        if isinstance(source, ObjectSource):
            made = _object_files(pod, source, volume.default_mode, inputs)
        elif isinstance(source, DownwardSource):
            made = _downward_files(pod, source, volume.default_mode, inputs.facts)
        else:
            made = (_token_file(pod, source, volume.default_mode, inputs),)
        for file in made:
            _check_path(file.path)
            files[file.path] = file
    return tuple(files[path] for path in sorted(files))


def _token_file(pod: Pod, source: TokenSource, default_mode: int, inputs: VolumeInputs) -> ProjectedFile:
    """Return a token, readable by the one user of all containers, or by fsGroup, or else as the volume says."""
    owner = common_user(pod)
    narrow = owner is not None or pod.security.get("fsGroup") is not None
    mode = OWNED_TOKEN_MODE if narrow else default_mode
    return ProjectedFile(source.path, inputs.tokens[source].encode(), mode, owner)


def _object_files(
    pod: Pod, source: ObjectSource, default_mode: int, inputs: VolumeInputs
) -> tuple[ProjectedFile, ...]:
    obj = inputs.objects.get((source.kind, source.name))
    if obj is None:
        if source.optional:
            return ()
        raise VolumeError(missing_object(source.kind, source.name))
    data = object_bytes(obj, source.kind)
    if not source.items:
        return tuple(ProjectedFile(key, value, default_mode) for key, value in data.items())
    files: list[ProjectedFile] = []
    for item in source.items:
        if item.key in data:
            mode = default_mode if item.mode is None else item.mode
            files.append(ProjectedFile(item.path, data[item.key], mode))
        elif not source.optional:
            raise VolumeError(f"{_NO_KEY[source.kind]}: {item.key}")
    return tuple(files)


def object_bytes(obj: Obj, kind: str) -> Mapping[str, bytes]:
    """Return all data of a ConfigMap (binaryData too) or Secret.

    Raises:
        VolumeError: a value that should be base64 is not.
    """
    encoded = obj.get("data" if kind == "Secret" else "binaryData") or {}
    try:
        binaries = {key: decode_base64(value) for key, value in encoded.items()}
    except binascii.Error as error:
        raise VolumeError(f"{kind.lower()} holds data that is not base64: {error}") from error
    texts = {} if kind == "Secret" else {key: value.encode() for key, value in (obj.get("data") or {}).items()}
    return {**texts, **binaries}


def _downward_files(
    pod: Pod, source: DownwardSource, default_mode: int, facts: PodFacts
) -> tuple[ProjectedFile, ...]:
    files: list[ProjectedFile] = []
    for item in source.items:
        mode = default_mode if item.mode is None else item.mode
        if item.field_path:
            value = field_value(pod, item.field_path, facts)
        else:
            container = pod.container(item.container)
            value = None if container is None else resource_value(container, item.resource, item.divisor, facts)
        if value is None:
            raise VolumeError(f"unsupported downward API reference: {item.field_path or item.resource}")
        files.append(ProjectedFile(item.path, value.encode(), mode))
    return tuple(files)


def _check_path(path: str) -> None:
    parts = path.split("/")
    if not path or path.startswith("/") or ".." in parts or parts[0].startswith(".."):
        raise VolumeError(f"invalid path {path}: must be relative and must not contain '..'")


def volume_directory(pod_directory: str, volume: Volume) -> str:
    """Return where a volume (not a hostPath) stands on the host."""
    source = volume.source
    kind = source.kind if isinstance(source, ProjectedVolume) else _PLUGINS.get(type(source), "")
    return f"{pod_directory}/volumes/kubernetes.io~{kind}/{volume.name}"


def mount_failed(volume: str, why: str) -> str:
    """Return the message of a FailedMount event."""
    return f'MountVolume.SetUp failed for volume "{volume}" : {why}'
