"""A real registry (Debian's `docker-registry`) for tests, with a password, with TLS or with neither.

On the host's loopback without TLS: the engine speaks plain HTTP to that without being told to. With TLS on the host's
own address, for which the engine checks certificates.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from minikube_py.testing.lab.layout import HostLayout
from minikube_py.testing.lab.machine import in_host, is_running, run, start_daemon, stop_process, wait_until

USER = "puller"
PASSWORD = "s3cret"  # noqa: S105 - the test registry's
_HTPASSWD = f"{USER}:$2y$05$abcdefghijklmnopqrstuuLK7U1u6pVRmL7L1BBM2aS35PSZnDXlK\n"
"""bcrypt, the only hash that the registry takes."""


def registry_program() -> str:
    """Return where the registry's program is (Debian's name, or CentOS's); empty when it is not installed."""
    return shutil.which("docker-registry") or shutil.which("registry") or ""


@dataclass(frozen=True, slots=True)
class RegistryTls:
    """Files of a registry that lets nobody in whom its CA has not signed."""

    ca: Path
    certificate: Path
    key: Path


@contextmanager
def image_registry(
    host: HostLayout, port: int, folder: Path, *, password: bool = False, tls: RegistryTls | None = None
) -> Iterator[str]:
    """Run a registry meanwhile, and give its address as image names begin with it."""
    folder.mkdir(parents=True, exist_ok=True)
    address = f"{host.address if tls else '127.0.0.1'}:{port}"
    secure = f", tls: {{certificate: {tls.certificate}, key: {tls.key}, clientcas: [{tls.ca}]}}" if tls else ""
    auth = ""
    if password:
        (folder / "htpasswd").write_text(_HTPASSWD)
        auth = f"auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}\n"
    config = folder / "config.yml"
    config.write_text(
        "version: 0.1\n"
        "log: {level: warn}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder}/images}}, delete: {{enabled: true}}}}\n"
        f"http: {{addr: ':{port}'{secure}}}\n{auth}"
    )
    log = folder / "registry.log"
    pid = start_daemon(in_host(host, [registry_program(), "serve", str(config)]), log)
    try:
        wait_until(
            lambda: is_running(pid) and _answers(host, address), 20, f"the registry does not answer: see {log}"
        )
        yield address
    finally:
        stop_process(pid)


def _answers(host: HostLayout, address: str) -> bool:
    script = f"exec 3<>/dev/tcp/{address.replace(':', '/')}"
    return run(in_host(host, ["bash", "-c", script]), check=False).returncode == 0


def push(host: HostLayout, image: str, name: str, *, login: bool = False) -> None:
    """Give an image of the host's engine a name in a registry, and push it there under that name."""
    docker = ["docker", "-H", f"unix://{host.docker_socket}"]
    config = ["--config", str(host.dir / "docker-client")]
    if login:
        subprocess.run(
            in_host(
                host,
                [*docker[:1], *config, *docker[1:], "login", "-u", USER, "--password-stdin", name.partition("/")[0]],
            ),
            input=PASSWORD,
            text=True,
            check=True,
            capture_output=True,
        )
    run([*docker, "tag", image, name])
    run([*docker[:1], *config, *docker[1:], "push", name])
    run([*docker, "rmi", name])
