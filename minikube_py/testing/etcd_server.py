"""An etcd of Debian's package for tests and the benchmark: started on free ports, data in a folder of the caller."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from minikube_py.testing.free_ports import free_ports

START_TIMEOUT_S = 20.0


def is_installed() -> bool:
    """Return whether there is an etcd to start."""
    return shutil.which("etcd") is not None


class EtcdServer:
    """One member, which can be stopped, killed and started again on the same data."""

    def __init__(
        self, folder: Path, name: str, ports: tuple[int, int], cluster: str, *tls: str, address: str = "127.0.0.1"
    ) -> None:
        self.url = f"{'https' if tls else 'http'}://{address}:{ports[0]}"
        self._log = (folder / f"{name}.log").open("ab")
        peer = f"http://127.0.0.1:{ports[1]}"
        self._command = ["etcd", "--name", name, "--data-dir", str(folder / name), *tls]
        self._command += ["--listen-client-urls", self.url, "--advertise-client-urls", self.url]
        self._command += ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer]
        self._command += ["--initial-cluster", cluster, "--initial-cluster-state", "new"]
        self._address = (address, ports[0])
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> None:
        """Start the process; with `wait`, until it takes connections."""
        self._process = subprocess.Popen(self._command, stdout=self._log, stderr=self._log)
        if wait:
            self.wait()

    def wait(self) -> None:
        """Wait until it takes connections."""
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                socket.create_connection(self._address, 1).close()
            except OSError:
                assert time.monotonic() < deadline_s, "etcd does not start"
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """End it as a power cut would, but for the page cache."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """End it for good."""
        self.kill()
        self._log.close()


@contextmanager
def etcd_cluster(folder: Path, members: int = 1, *tls: str) -> Iterator[list[EtcdServer]]:
    """Run a cluster while the context lasts; `tls` are further flags of etcd."""
    ports = free_ports(2 * members)
    names = [f"m{number}" for number in range(members)]
    cluster = ",".join(f"{name}=http://127.0.0.1:{ports[2 * at + 1]}" for at, name in enumerate(names))
    servers = [
        EtcdServer(folder, name, (ports[2 * at], ports[2 * at + 1]), cluster, *tls) for at, name in enumerate(names)
    ]
    try:
        for server in servers:
            server.start(wait=False)
        for server in servers:
            server.wait()
        yield servers
    finally:
        for server in servers:
            server.close()
