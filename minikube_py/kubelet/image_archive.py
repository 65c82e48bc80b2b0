"""Container images as bytes: what `docker save` would write, made without an engine, a registry or a build.

Every byte depends on the arguments alone (owner root, time 0, sorted keys), therefore the image's id is the same
on every host and is known before the image exists. The pause image and the images of examples and tests are made
this way.

The format is Docker's own since 1.10 (manifest.json, a config, one tar for each layer): engines of every age load it.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """One file of a deterministic tar: owner root, time 0."""

    name: str
    data: bytes = b""
    mode: int = 0o644
    link_to: str = ""
    """A symbolic link to this, when not empty."""
    folder: bool = False


@dataclass(frozen=True, slots=True)
class ImageArchive:
    """An image with one layer, ready to be loaded into an engine."""

    id: str
    """`sha256:…` of its config: what `docker inspect` calls it (with the containerd image store it has another)."""
    tags: tuple[str, ...]
    archive: bytes
    """As `docker save` would write it."""

    @property
    def tag(self) -> str:
        """The main name."""
        return self.tags[0]


def render_tar(entries: Sequence[ArchiveEntry]) -> bytes:
    """Return a tar of `entries` in their order, the same bytes for the same entries."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for entry in entries:
            info = tarfile.TarInfo(entry.name)
            info.mode, info.mtime, info.size = entry.mode, 0, len(entry.data)
            if entry.folder:
                info.type = tarfile.DIRTYPE
            elif entry.link_to:
                info.type, info.linkname = tarfile.SYMTYPE, entry.link_to
            archive.addfile(info, io.BytesIO(entry.data))
    return buffer.getvalue()


def render_image(
    architecture: str, tags: Sequence[str], files: Sequence[ArchiveEntry], config: Mapping[str, object]
) -> ImageArchive:
    """Return a one-layer image of `files`, whose container defaults are `config` (Docker's `Config` keys)."""
    layer = render_tar(files)
    epoch = "1970-01-01T00:00:00Z"
    document = {
        "architecture": architecture,
        "os": "linux",
        "created": epoch,
        "config": dict(config),
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
        "history": [{"created": epoch, "created_by": "minikube-py"}],
    }
    config_bytes = json.dumps(document, sort_keys=True).encode()
    digest = hashlib.sha256(config_bytes).hexdigest()
    manifest = [{"Config": f"{digest}.json", "RepoTags": list(tags), "Layers": ["layer.tar"]}]
    archive = render_tar(
        (
            ArchiveEntry(f"{digest}.json", config_bytes),
            ArchiveEntry("layer.tar", layer),
            ArchiveEntry("manifest.json", json.dumps(manifest).encode()),
        )
    )
    return ImageArchive(f"sha256:{digest}", tuple(tags), archive)
