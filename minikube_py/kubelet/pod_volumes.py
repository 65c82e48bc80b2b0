"""The volumes of a pod as frozen types: what each one is, not yet what is in it.

Upstream: core/v1 VolumeSource. Kinds that this kubelet cannot provide become UnsupportedVolume, so that the pod waits
with a FailedMount that names the kind instead of starting without its data.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

DEFAULT_MODE = 0o644


@dataclass(frozen=True, slots=True)
class KeyToPath:
    """One entry of `items`: a key of the object, and the file it becomes; mode None means the volume's default."""

    key: str
    path: str
    mode: int | None


@dataclass(frozen=True, slots=True)
class EmptyDirVolume:
    """A directory that lives as long as the pod; `medium` Memory makes it a tmpfs."""

    medium: str
    size_limit: str


@dataclass(frozen=True, slots=True)
class HostPathVolume:
    """A path of the host; `type` is what must be found or made there."""

    path: str
    type: str


@dataclass(frozen=True, slots=True)
class ObjectSource:
    """Keys of one ConfigMap or Secret as files."""

    kind: Literal["ConfigMap", "Secret"]
    name: str
    items: tuple[KeyToPath, ...]
    optional: bool


@dataclass(frozen=True, slots=True)
class DownwardFile:
    """One file of the downward API: exactly one of `field_path` and `resource` is set."""

    path: str
    field_path: str
    container: str
    resource: str
    divisor: str
    mode: int | None


@dataclass(frozen=True, slots=True)
class DownwardSource:
    """Fields of the pod as files."""

    items: tuple[DownwardFile, ...]


@dataclass(frozen=True, slots=True)
class TokenSource:
    """A token of the pod's service account, renewed before it expires."""

    path: str
    audience: str
    expiration_s: int


@dataclass(frozen=True, slots=True)
class ProjectedVolume:
    """Files from several sources; ConfigMap, Secret and downwardAPI volumes are the case of one source."""

    kind: Literal["configmap", "secret", "downward-api", "projected"]
    """Upstream's plugin name; part of the path on the host (`kubernetes.io~configmap`)."""
    sources: tuple[ObjectSource | DownwardSource | TokenSource, ...]
    default_mode: int

    @property
    def in_memory(self) -> bool:
        """Return whether the files must not reach a disk."""
        return self.kind != "configmap"


@dataclass(frozen=True, slots=True)
class ClaimVolume:
    """What a claim is bound to; `name` is empty for the claim that is made for this pod's `ephemeral` volume."""

    name: str
    read_only: bool

    def claim_name(self, pod_name: str, volume_name: str) -> str:
        """Return the claim's name; an ephemeral volume's is the pod's and the volume's joined."""
        return self.name or f"{pod_name}-{volume_name}"


@dataclass(frozen=True, slots=True)
class NfsVolume:
    """An exported directory of an NFS server, mounted for this pod alone."""

    server: str
    path: str
    read_only: bool


@dataclass(frozen=True, slots=True)
class ImageVolume:
    """What an image holds, read-only; the image is pulled when a container that mounts it starts."""

    reference: str
    pull_policy: str


@dataclass(frozen=True, slots=True)
class UnsupportedVolume:
    """A kind that this kubelet does not provide."""

    kind: str


Source = EmptyDirVolume | HostPathVolume | ProjectedVolume | ClaimVolume | NfsVolume | ImageVolume | UnsupportedVolume


@dataclass(frozen=True, slots=True)
class Volume:
    """One entry of `volumes`."""

    name: str
    source: Source


def parse_volume(raw: Mapping[str, Any]) -> Volume:
    """Return a volume of an API object."""
    return Volume(str(raw["name"]), _source(raw))


def _source(raw: Mapping[str, Any]) -> Source:
    if (empty := raw.get("emptyDir")) is not None:
        return EmptyDirVolume(str(empty.get("medium") or ""), str(empty.get("sizeLimit") or ""))
    if (host := raw.get("hostPath")) is not None:
        return HostPathVolume(str(host.get("path") or ""), str(host.get("type") or ""))
    if (claim := raw.get("persistentVolumeClaim")) is not None:
        return ClaimVolume(str(claim.get("claimName") or ""), bool(claim.get("readOnly")))
    if raw.get("ephemeral") is not None:
        return ClaimVolume("", read_only=False)
    found = _remote_source(raw) or _files_source(raw)
    return found or UnsupportedVolume(next((key for key in sorted(raw) if key != "name"), "none"))


def _remote_source(raw: Mapping[str, Any]) -> NfsVolume | ImageVolume | None:
    if (nfs := raw.get("nfs")) is not None:
        return parse_nfs(nfs)
    if (image := raw.get("image")) is not None:
        return ImageVolume(str(image.get("reference") or ""), str(image.get("pullPolicy") or ""))
    return None


def parse_nfs(raw: Mapping[str, Any]) -> NfsVolume:
    """Return an NFSVolumeSource, of a pod or of a PersistentVolume."""
    return NfsVolume(str(raw.get("server") or ""), str(raw.get("path") or ""), bool(raw.get("readOnly")))


def _files_source(raw: Mapping[str, Any]) -> ProjectedVolume | UnsupportedVolume | None:
    if (config_map := raw.get("configMap")) is not None:
        return _projected("configmap", (_object_source("ConfigMap", config_map, "name"),), config_map)
    if (secret := raw.get("secret")) is not None:
        return _projected("secret", (_object_source("Secret", secret, "secretName"),), secret)
    if (downward := raw.get("downwardAPI")) is not None:
        return _projected("downward-api", (_downward_source(downward),), downward)
    if (projected := raw.get("projected")) is not None:
        sources = tuple(_projection(source) for source in projected.get("sources") or ())
        refused = next((source for source in sources if isinstance(source, UnsupportedVolume)), None)
        known = tuple(source for source in sources if not isinstance(source, UnsupportedVolume))
        return refused or _projected("projected", known, projected)
    return None


def _projected(
    kind: Literal["configmap", "secret", "downward-api", "projected"],
    sources: tuple[ObjectSource | DownwardSource | TokenSource, ...],
    raw: Mapping[str, Any],
) -> ProjectedVolume:
    mode = raw.get("defaultMode")
    return ProjectedVolume(kind, sources, DEFAULT_MODE if mode is None else int(mode))


def _projection(raw: Mapping[str, Any]) -> ObjectSource | DownwardSource | TokenSource | UnsupportedVolume:
    if (config_map := raw.get("configMap")) is not None:
        return _object_source("ConfigMap", config_map, "name")
    if (secret := raw.get("secret")) is not None:
        return _object_source("Secret", secret, "name")
    if (downward := raw.get("downwardAPI")) is not None:
        return _downward_source(downward)
    if (token := raw.get("serviceAccountToken")) is not None:
        expiration = int(token.get("expirationSeconds") or 3600)
        return TokenSource(str(token.get("path") or "token"), str(token.get("audience") or ""), expiration)
    return UnsupportedVolume("projected." + next(iter(sorted(raw)), "none"))


def _object_source(kind: Literal["ConfigMap", "Secret"], raw: Mapping[str, Any], name_field: str) -> ObjectSource:
    items = tuple(
        KeyToPath(str(i["key"]), str(i["path"]), None if i.get("mode") is None else int(i["mode"]))
        for i in raw.get("items") or ()
    )
    return ObjectSource(kind, str(raw.get(name_field) or ""), items, bool(raw.get("optional")))


def _downward_source(raw: Mapping[str, Any]) -> DownwardSource:
    return DownwardSource(tuple(_downward_file(item) for item in raw.get("items") or ()))


def _downward_file(raw: Mapping[str, Any]) -> DownwardFile:
    resource = raw.get("resourceFieldRef") or {}
    mode = raw.get("mode")
    return DownwardFile(
        path=str(raw["path"]),
        field_path=str((raw.get("fieldRef") or {}).get("fieldPath") or ""),
        container=str(resource.get("containerName") or ""),
        resource=str(resource.get("resource") or ""),
        divisor=str(resource.get("divisor") or "1"),
        mode=None if mode is None else int(mode),
    )
