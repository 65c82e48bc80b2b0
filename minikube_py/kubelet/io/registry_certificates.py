"""Puts TLS files of `registries.yaml` into Docker's folder of certificates (see kubelet.registry_certificates)."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from minikube_py.kit.io.files import write_atomic
from minikube_py.kubelet.registries import NO_REGISTRIES, Registries, RegistriesError
from minikube_py.kubelet.registry_certificates import (
    MARK,
    CertificateFolder,
    CertificatePlan,
    certificate_sources,
    plan_certificates,
)

CERTIFICATES_DIR = Path("/etc/docker/certs.d")
FILE_BYTES_MAX = 1 << 20


def plan_folders(registries: Registries, owner: str, folder: Path = CERTIFICATES_DIR) -> CertificatePlan:
    """Return what `write_folders` would do.

    Raises:
        RegistriesError: a TLS file cannot be read.
        OSError: the folder cannot.
    """
    wanted = {
        host: {name: _read_source(host, path) for name, path in files.items()}
        for host, files in certificate_sources(registries).items()
    }
    return plan_certificates(wanted, _found(folder), owner)


def write_folders(registries: Registries, owner: str, folder: Path = CERTIFICATES_DIR) -> tuple[str, ...]:
    """Bring the folders up to date, and return what could not be done.

    Raises:
        RegistriesError: a TLS file cannot be read.
        OSError: the folder cannot be written.
    """
    plan = plan_folders(registries, owner, folder)
    for path, data in plan.writes:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        write_atomic(folder / path, data, 0o600)
    for path in plan.removals:
        with suppress(FileNotFoundError):
            (folder / path).rmdir() if (folder / path).is_dir() else (folder / path).unlink()
    return plan.faults


def remove_folders(owner: str, folder: Path = CERTIFICATES_DIR) -> None:
    """Remove every folder that is this agent's.

    Raises:
        OSError: one cannot be removed.
    """
    write_folders(NO_REGISTRIES, owner, folder)


def _read_source(host: str, path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(FILE_BYTES_MAX)
    except OSError as error:
        raise RegistriesError(f"configs.{host}.tls: {path} cannot be read: {error.strerror}") from error


def _found(folder: Path) -> Mapping[str, CertificateFolder]:
    try:
        hosts = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
    except FileNotFoundError:
        return {}
    return {host: _read_folder(folder / host) for host in hosts}


def _read_folder(folder: Path) -> CertificateFolder:
    files = {entry.name: Path(entry.path).read_bytes() for entry in os.scandir(folder) if entry.is_file()}
    return CertificateFolder(files.pop(MARK, b"").decode(errors="replace"), files)
