"""What a kubectl is pointed at: an administrator's kubeconfig, and an API server in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import yaml

from minikube_py.apiserver.io.certificates import Pki
from minikube_py.apiserver.kubeconfig import kubeconfig
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.testing.kubectl import Kubectl
from minikube_py.testing.memory_api_server import loopback_pki, memory_api_server, serving


def write_kubeconfig(folder: Path, url: str, pki: Pki) -> None:
    """Write an administrator's kubeconfig of a server to `folder`, as `config`."""
    config = kubeconfig(url, pki.ca.certificate_pem, pki.admin.certificate_pem, pki.admin.key_pem)
    (folder / "config").write_text(yaml.safe_dump(config))


@asynccontextmanager
async def serving_kubectl(binary: Path, folder: Path) -> AsyncIterator[Kubectl]:
    """Give a kubectl with a fresh server of its own, over HTTPS, while the context lasts."""
    folder.mkdir(exist_ok=True)
    server, pki = memory_api_server(), loopback_pki(folder / "pki", SystemClock().wall_s())
    async with serving(server, pki.server_context()) as url:
        write_kubeconfig(folder, url, pki)
        yield Kubectl(binary, folder)
