"""Loads the image archives of a folder: at the start, before pods are, and whenever a file appears (as k3s does).

For hosts that reach no registry: `docker save` archives, plain or compressed, in DATA/agent/images. Their images are
never collected while the archive is there. A file is loaded when two looks have seen the same size and time, so that
one that is still being copied waits; what was loaded is remembered over restarts and only loaded again when the file
has changed or an image is gone. A `.txt` file holds names of images to pull, one a line.

Upstream: k3s pkg/agent/containerd (preloadImages, watcher).
"""

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.cri import ContainerRuntimeError, RuntimeErrorKind
from minikube_py.kubelet.images import ImageName, InvalidImageNameError, parse_image_name
from minikube_py.kubelet.ports import KubeletPorts

log = logging.getLogger("kubelet")

FILES_MAX = 256
"""Files beyond this are left out, and a warning says so."""
LIST_BYTES_MAX = 1 << 20
RECORDS_BYTES_MAX = 4 << 20
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tar.zst", ".tzst")
LIST = ".txt"

_Version = tuple[int, int]
"""Size and modification time (nanoseconds) of a file."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    version: _Version
    images: tuple[str, ...]
    """Names or ids; none for a file that cannot be used: it is tried again once it has changed."""


class ImageFolder:
    """One for the kubelet."""

    def __init__(
        self, config: KubeletConfig, ports: KubeletPorts, pull: Callable[[ImageName], Awaitable[object]]
    ) -> None:
        """`pull` brings an image that a list names."""
        self._config = config
        self._ports = ports
        self._pull = pull
        self._seen: dict[str, _Version] = {}
        self._loaded: dict[str, _Loaded] = {}
        self._said_full = False

    def names(self) -> frozenset[str]:
        """Return the names (or ids) of the images that the folder's archives hold: they are pinned."""
        return frozenset(image for loaded in self._loaded.values() for image in loaded.images)

    async def begin(self) -> None:
        """Load what is there and was not loaded by an earlier run."""
        self._loaded = await self._read_records()
        self._seen = await asyncio.to_thread(_scan, self._config.images_dir)
        for name in list(self._loaded):
            if not await self._are_here(self._loaded[name].images):
                del self._loaded[name]
        # Lists wait for the first look: a registry that does not answer must not hold up the node.
        await self._load_changed({name: v for name, v in self._seen.items() if not name.endswith(LIST)})

    async def run(self) -> None:
        """Follow the folder until cancelled."""
        while True:
            await self._ports.clock.sleep(self._config.image_folder_scan_s)
            await self.look()

    async def look(self) -> None:
        """Load the files that have come or changed since, and rest at this moment."""
        before, self._seen = self._seen, await asyncio.to_thread(_scan, self._config.images_dir)
        await self._load_changed({name: v for name, v in self._seen.items() if before.get(name) == v})

    async def _load_changed(self, resting: dict[str, _Version]) -> None:
        if len(resting) > FILES_MAX and not self._said_full:
            self._said_full = True
            log.warning(
                "%s holds %d files: only the first %d are used", self._config.images_dir, len(resting), FILES_MAX
            )
        changed = False
        for name in [name for name in self._loaded if name not in self._seen]:
            del self._loaded[name]  # its images stay until they are collected
            changed = True
        for name in sorted(resting)[:FILES_MAX]:
            loaded = self._loaded.get(name)
            if loaded is not None and loaded.version == resting[name]:
                continue
            images = await self._load(os.path.join(self._config.images_dir, name))
            if images is not None:
                self._loaded[name] = _Loaded(resting[name], images)
                changed = True
        if changed:
            await self._write_records()

    async def _load(self, path: str) -> tuple[str, ...] | None:
        """Return the images of a file; none when it cannot be used as it is, None when it is to be tried again."""
        try:
            if path.endswith(LIST):
                return await self._pull_list(path)
            images = await self._ports.images.load_archive(path)
        except ContainerRuntimeError as error:
            log.warning("images of %s are not loaded: %s", path, error.message)
            away = error.kind in (RuntimeErrorKind.UNAVAILABLE, RuntimeErrorKind.TIMEOUT)
            return None if away else ()
        except OSError as error:
            log.warning("images of %s are not loaded: %s", path, error)
            return None
        log.info("loaded %s from %s", ", ".join(images), path)
        return images

    async def _pull_list(self, path: str) -> tuple[str, ...]:
        text = await self._ports.files.read_file(path, LIST_BYTES_MAX)
        names = [line.strip() for line in text.splitlines()]
        found: list[str] = []
        for text_name in names:
            if not text_name or text_name.startswith("#"):
                continue
            try:
                name = parse_image_name(text_name)
                found.append(name.text)
                if await self._ports.images.image_status(name.text) is None:
                    await self._pull(name)
            except (InvalidImageNameError, ContainerRuntimeError) as error:
                log.warning("image %s of %s is not here: %s", text_name, path, error)
        return tuple(found)

    async def _are_here(self, images: tuple[str, ...]) -> bool:
        try:
            found = [await self._ports.images.image_status(image) for image in images]
        except ContainerRuntimeError as error:
            log.warning("images are not known: %s", error.message)
            return True
        return bool(images) and None not in found

    @property
    def _records_path(self) -> str:
        return f"{self._config.root_dir}/images-loaded.json"

    async def _read_records(self) -> dict[str, _Loaded]:
        text = await self._ports.files.read_file(self._records_path, RECORDS_BYTES_MAX)
        try:
            return {
                str(name): _Loaded((int(entry["size"]), int(entry["time"])), tuple(map(str, entry["images"])))
                for name, entry in (json.loads(text) if text else {}).items()
            }
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("%s is not used, archives are loaded again: %s", self._records_path, error)
            return {}

    async def _write_records(self) -> None:
        document = {
            name: {"size": loaded.version[0], "time": loaded.version[1], "images": loaded.images}
            for name, loaded in sorted(self._loaded.items())
        }
        try:
            await self._ports.files.write_file(self._records_path, json.dumps(document))
        except OSError as error:
            log.warning("%s is not written: %s", self._records_path, error)


def _scan(folder: str) -> dict[str, _Version]:
    try:
        with os.scandir(folder) as entries:
            return {
                entry.name: (stat.st_size, stat.st_mtime_ns)
                for entry in entries
                if entry.name.endswith((*ARCHIVES, LIST)) and not entry.name.startswith(".")
                if entry.is_file() and (stat := entry.stat())
            }
    except OSError:
        return {}
