"""Reads the folder with manifests of static pods (upstream: kubelet/config/file.go)."""

import logging
import os
from collections.abc import Mapping
from typing import Any

import yaml

log = logging.getLogger("kubelet")

FILES_MAX = 64
"""Files beyond this are left out, and a warning says so: a node has a handful of static pods."""
FILE_BYTES_MAX = 1 << 20


class ManifestFolder:
    """One folder; reads a file again only when it has changed. A missing folder is an empty one."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._read: dict[str, tuple[tuple[int, int, int], Mapping[str, Any] | None]] = {}

    def scan(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the documents by file name, sorted; a file that cannot be read is said once and left out."""
        try:
            with os.scandir(self._path) as entries:
                names = sorted(e.name for e in entries if not e.name.startswith(".") and e.is_file())
        except OSError:
            names = []
        if len(names) > FILES_MAX:
            log.warning("%s holds %d files: only the first %d are static pods", self._path, len(names), FILES_MAX)
        found: dict[str, Mapping[str, Any]] = {}
        for name in names[:FILES_MAX]:
            document = self._document(name)
            if document is not None:
                found[name] = document
        self._read = {name: self._read[name] for name in names if name in self._read}
        return found

    def _document(self, name: str) -> Mapping[str, Any] | None:
        path = os.path.join(self._path, name)
        try:
            stat = os.stat(path)
            version = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
            if name in self._read and self._read[name][0] == version:
                return self._read[name][1]
            document = _parse(path)
        except (OSError, ValueError, yaml.YAMLError) as error:
            if name not in self._read or self._read[name][1] is not None:
                log.warning("static pod file %s: %s", path, error)
            self._read[name] = ((0, 0, 0), None)
            return None
        self._read[name] = (version, document)
        return document


def _parse(path: str) -> Mapping[str, Any]:
    with open(path, "rb") as file:
        data = file.read(FILE_BYTES_MAX + 1)
    if len(data) > FILE_BYTES_MAX:
        raise ValueError(f"is larger than {FILE_BYTES_MAX} bytes")
    document = yaml.safe_load(data)
    if not isinstance(document, dict):
        raise ValueError("holds no object")  # noqa: TRY004 - the text of a file, not an argument
    return document
