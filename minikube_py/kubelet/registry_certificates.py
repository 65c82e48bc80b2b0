"""Which TLS files of `registries.yaml` stand where in Docker's folder of certificates, and which go from there.

Docker reads `/etc/docker/certs.d/HOST/` anew at every pull: `*.crt` are trusted, `*.cert` with the `*.key` of the
same name shows who we are. A folder with our mark in it is ours to change; one without belongs to whoever made it,
and stays. The mark says which agent made the folder, since several may share a machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from minikube_py.kubelet.registries import Registries, is_hub

MARK = ".minikube-py"
"""The file that says whose a folder is."""
NAMES = {"ca_file": "ca.crt", "cert_file": "client.cert", "key_file": "client.key"}
"""Key of `tls` -> what Docker calls the file."""


@dataclass(frozen=True, slots=True)
class CertificateFolder:
    """What is found for a host."""

    owner: str
    """What the mark says; empty: nobody's mark."""
    files: Mapping[str, bytes]
    """By name, the mark left out."""


@dataclass(frozen=True, slots=True)
class CertificatePlan:
    """What is to be done; paths are relative to Docker's folder."""

    writes: tuple[tuple[str, bytes], ...] = ()
    """(path, contents), of a new folder its mark first."""
    removals: tuple[str, ...] = ()
    """Files, and folders after all that they hold."""
    faults: tuple[str, ...] = ()
    """What of the file cannot be done, and why."""


def plan_certificates(
    wanted: Mapping[str, Mapping[str, bytes]], found: Mapping[str, CertificateFolder], owner: str
) -> CertificatePlan:
    """Return how the folders come to hold what they should.

    Args:
        wanted: the files of each host, by Docker's names.
        found: the folders that are there, by host.
        owner: who this agent is.
    """
    writes: list[tuple[str, bytes]] = []
    removals: list[str] = []
    faults: list[str] = []
    for host, files in sorted(wanted.items()):
        folder = found.get(host, CertificateFolder(owner, {}))
        if folder.owner != owner:
            if dict(folder.files) != dict(files):
                whose = folder.owner or "somebody else"
                faults.append(f"{host}: its folder of certificates is {whose}'s and has other files: remove it")
            continue
        if host not in found:
            writes.append((f"{host}/{MARK}", owner.encode()))
        writes += [(f"{host}/{name}", data) for name, data in sorted(files.items()) if folder.files.get(name) != data]
        removals += [f"{host}/{name}" for name in sorted(folder.files) if name not in files]
    for host, folder in sorted(found.items()):
        if folder.owner == owner and host not in wanted:
            removals += [f"{host}/{name}" for name in sorted(folder.files)]
            removals += [f"{host}/{MARK}", host]
    return CertificatePlan(tuple(writes), tuple(removals), tuple(faults))


def certificate_sources(registries: Registries) -> Mapping[str, Mapping[str, str]]:
    """Return where the files of each host are read from, by Docker's names."""
    return {
        config.host: {NAMES[key]: path for key, path in config.tls_files}
        for config in registries.configs
        if config.tls_files and not is_hub(config.host)
    }


def engine_certificate_faults(registries: Registries, docker_host: str) -> tuple[str, ...]:
    """Return which TLS files no folder helps for: Docker has none for Docker Hub, and ours is not the engine's."""
    hosts = sorted(config.host for config in registries.configs if config.tls_files)
    faults = [f"{host}: Docker takes no TLS files for Docker Hub" for host in hosts if is_hub(host)]
    if not docker_host.startswith("unix://"):
        faults += [
            f"{host} has TLS files, which this agent cannot put onto the engine's machine ({docker_host}): "
            f"put them into /etc/docker/certs.d/{host}/ there, and take `tls` out of the file"
            for host in hosts
            if not is_hub(host)
        ]
    return tuple(faults)
