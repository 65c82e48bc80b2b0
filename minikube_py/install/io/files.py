"""Writes and removes the files of an installation; every file appears whole or not at all."""

import filecmp
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import orjson
import yaml

from minikube_py.install.plan import (
    RECORD_FILE,
    CopyProgram,
    Effect,
    InstallError,
    LinkProgram,
    Record,
    Step,
    WriteFile,
)
from minikube_py.kit.io.files import copy_atomic, write_atomic


class HostFiles:
    """A host's files below `root`, which is `/` but in tests."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def at(self, path: str | PurePosixPath) -> Path:
        """Return where an absolute path of the host really is."""
        return self._root / str(path).lstrip("/")

    def apply(self, step: Step, *, dry_run: bool) -> Effect:
        """Do a step, or only say what it would do.

        Raises:
            InstallError: the file cannot be written.
        """
        place = self.at(step.path)
        try:
            if _is_done(step, place):
                return "unchanged"
            effect: Effect = "changed" if os.path.lexists(place) else "created"
            if not dry_run:
                place.parent.mkdir(parents=True, exist_ok=True)
                _replace(step, place)
        except OSError as error:
            raise InstallError(f"cannot write {step.path}: {error.strerror or error}") from error
        return effect

    def read_settings(self, path: str) -> Mapping[str, Any]:
        """Return the settings in a YAML file, empty when there is none (config.read_config_file has checked it)."""
        try:
            return yaml.safe_load(self.at(path).read_text()) or {}
        except FileNotFoundError:
            return {}

    def read_record(self) -> Record | None:
        """Return what is remembered of an installation.

        Raises:
            InstallError: the record cannot be understood.
        """
        try:
            saved = orjson.loads(self.at(RECORD_FILE).read_bytes())
            return Record(saved["role"], tuple(saved["made"]), saved["before"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise InstallError(f"{RECORD_FILE} is damaged ({error}): remove it and install again") from error

    def write_record(self, record: Record) -> None:
        """Remember an installation."""
        saved = {"role": record.role, "made": list(record.made), "before": record.before}
        self.apply(WriteFile(RECORD_FILE, orjson.dumps(saved, option=orjson.OPT_INDENT_2), 0o600), dry_run=False)

    def remove(self, files: Sequence[str], trees: Sequence[PurePosixPath]) -> tuple[str, ...]:
        """Remove files, folders with all that is in them, and the folders above that are empty then.

        Returns:
            What was removed.

        Raises:
            InstallError: something could not be removed.
        """
        removed = []
        try:
            for path in files:
                if os.path.lexists(self.at(path)):
                    self.at(path).unlink()
                    removed.append(path)
            for tree in trees:
                if self.at(tree).is_dir():
                    shutil.rmtree(self.at(tree))
                    removed.append(f"{tree}/")
        except OSError as error:
            raise InstallError(
                f"cannot remove {error.filename}: {error.strerror}; run `minikube-py uninstall` again"
            ) from error
        return tuple(removed)

    def remove_if_empty(self, folder: PurePosixPath) -> bool:
        """Remove a folder that nothing is in; return whether it is gone."""
        try:
            self.at(folder).rmdir()
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True


def render_settings(settings: Mapping[str, object]) -> bytes:
    """Return settings as a config file."""
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()}
    head = b"# Settings of minikube-py: the flags of `minikube-py server --help` as keys.\n"
    return head + (yaml.safe_dump(plain, sort_keys=False).encode() if plain else b"")


def _is_done(step: Step, place: Path) -> bool:
    match step:
        case WriteFile(content=content, mode=mode):
            return (
                place.is_file()
                and not place.is_symlink()
                and place.read_bytes() == content
                and place.stat().st_mode & 0o7777 == mode
            )
        case CopyProgram(source=source):
            return place.is_file() and not place.is_symlink() and filecmp.cmp(source, place, shallow=False)
        case LinkProgram(target=target):
            return place.is_symlink() and str(place.readlink()) == target


def _replace(step: Step, place: Path) -> None:
    match step:
        case WriteFile(content=content, mode=mode):
            write_atomic(place, content, mode)
        case CopyProgram(source=source):
            copy_atomic(Path(source), place, 0o755)
        case LinkProgram(target=target):
            fresh = place.with_name(f".{place.name}.new")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(target)
            fresh.replace(place)
