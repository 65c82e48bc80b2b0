"""A running lab as users see it: kubectl of every version, requests from the host, a constant load."""

import json
import re
import shutil
import ssl
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import yaml

from minikube_py.testing.images import busybox_archive
from minikube_py.testing.kubectl import KUBECTLS, NEWEST
from minikube_py.testing.lab.lab import Lab
from minikube_py.testing.lab.machine import in_host, run

T = TypeVar("T")

IMAGE = "minikube-py/busybox:1"
SECOND_IMAGE = "minikube-py/busybox:2"
_FORWARDED = re.compile(r"127\.0\.0\.1:(\d+) -> (\d+)")


class KubectlError(AssertionError):
    """kubectl failed where it should not."""


def wait_until(condition: Callable[[], T], timeout_s: float = 60.0, what: str = "the condition") -> T:
    """Return the first true value of `condition()`.

    Raises:
        AssertionError: there is none within `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not come true within {timeout_s} s"
        time.sleep(0.05)


class Cluster:
    """A lab as seen from one of its hosts, and kubectl for it."""

    def __init__(self, lab: Lab, cache: Path, host: str = "") -> None:
        """Look at a lab from `host`, the master if none is named; kubectl's files go to the folder `cache`."""
        self.lab = lab
        self.host = lab.layout.host(host) if host else lab.layout.master
        self._cache = cache

    def on(self, host: str) -> "Cluster":
        """Return the same cluster, as seen from the host of that name."""
        return Cluster(self.lab, self._cache, host)

    def kubectl_argv(self, *args: str, version: str = NEWEST) -> list[str]:
        """Return the command line of kubectl with this cluster's kubeconfig and a cache of its own."""
        return [
            str(KUBECTLS[version]),
            f"--kubeconfig={self.lab.layout.kubeconfig}",
            f"--cache-dir={self._cache / version}",
            *args,
        ]

    def kubectl(
        self,
        *args: str,
        version: str = NEWEST,
        check: bool = True,
        stdin: str | None = None,
        timeout_s: float = 90,
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl to its end.

        Raises:
            KubectlError: it failed and `check` is set.
        """
        done = subprocess.run(
            self.kubectl_argv(*args, version=version),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        if check and done.returncode:
            raise KubectlError(f"kubectl {version} {' '.join(args)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def get(self, *args: str) -> Any:
        """Return what `kubectl get … -o json` prints."""
        return json.loads(self.kubectl("get", *args, "-o", "json").stdout)

    def admin_access(self) -> tuple[str, ssl.SSLContext]:
        """Return the API server's URL and a TLS context with the administrator's certificate."""
        config = yaml.safe_load(self.lab.layout.kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        context = ssl.create_default_context(cadata=b64decode(cluster["certificate-authority-data"]).decode())
        pem = self._cache / "client.pem"
        pem.write_bytes(b64decode(user["client-certificate-data"]) + b64decode(user["client-key-data"]))
        context.load_cert_chain(pem)
        return cluster["server"], context

    def apply(self, namespace: str, manifest: str, version: str = NEWEST) -> subprocess.CompletedProcess[str]:
        """Apply a manifest."""
        return self.kubectl("apply", "-n", namespace, "-f", "-", stdin=manifest, version=version)

    def in_host(self, *argv: str, check: bool = True, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a program in the host's network."""
        return run(in_host(self.host, argv), check=check, timeout_s=timeout_s)

    def docker(self, *argv: str, check: bool = True) -> str:
        """Return what the docker command prints about the host's engine."""
        return run(["docker", "-H", f"unix://{self.host.docker_socket}", *argv], check=check).stdout

    def minikube_py(self, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a `minikube-py` command for the host's agent."""
        return run(self.lab.command(self.host, argv), check=check)

    def load_images(self, folder: Path) -> None:
        """Make the test image from this machine's busybox, under two names, and load it on every host."""
        busybox = shutil.which("busybox")
        assert busybox is not None, "busybox is missing: scripts/test installs it"
        archive = folder / "busybox.tar"
        archive.write_bytes(busybox_archive(Path(busybox).read_bytes(), (IMAGE, SECOND_IMAGE)))
        for host in self.lab.layout.hosts:
            socket = f"--docker-host=unix://{host.docker_socket}"
            run([sys.executable, "-m", "minikube_py", "image", "import", str(archive), socket])

    @contextmanager
    def port_forward(
        self, *args: str, ports: tuple[int, ...], version: str = NEWEST
    ) -> Iterator[tuple[Mapping[int, int], "subprocess.Popen[str]"]]:
        """Forward ports as `kubectl port-forward ARGS` does meanwhile; yields the local port of each, and kubectl."""
        argv = self.kubectl_argv("port-forward", *args, *(f":{port}" for port in ports), version=version)
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            local: dict[int, int] = {}
            while len(local) < len(ports):
                line = process.stdout.readline()
                assert line, process.stderr.read()
                if found := _FORWARDED.search(line):
                    local[int(found[2])] = int(found[1])
            yield local, process
        finally:
            process.terminate()
            process.communicate(timeout=20)

    def minikube_load(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run the load generator in the host's network, to its end."""
        return self.in_host(sys.executable, "-m", "minikube_py.testing.load", *argv, check=False)

    def ask(self, address: str, port: int, times: int = 1) -> list[str]:
        """Return the answers to GET / from the host, one connection each."""
        argv = [sys.executable, "-m", "minikube_py.testing.load", "ask", address, str(port), str(times)]
        answers: list[str] = json.loads(self.in_host(*argv).stdout)
        return answers

    @contextmanager
    def load(self, address: str, port: int) -> Iterator[dict[str, Any]]:
        """Send a constant load meanwhile; the yielded dict holds the outcome afterwards."""
        process = subprocess.Popen(
            in_host(self.host, [sys.executable, "-m", "minikube_py.testing.load", "load", address, str(port)]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        outcome: dict[str, Any] = {}
        try:
            yield outcome
        finally:
            out, _ = process.communicate("", timeout=30)
            outcome.update(json.loads(out))


def web(name: str = "web", replicas: int = 3, image: str = IMAGE) -> str:
    """Return the manifest of a Deployment whose pods answer with their names, and its Service."""
    return web_pods(name, replicas, "terminationGracePeriodSeconds: 5", image=image) + web_service(name)


def web_pods(name: str, replicas: int, spec: str, *, image: str = IMAGE, host_port: int = 0) -> str:
    """Return the manifest of a Deployment whose pods answer with their names; `spec` is what else their spec has.

    The pods end at once on SIGTERM, whatever they are doing: a request that still comes their way is lost.
    """
    serve = 'echo "$POD_NAME" > /www/index.html && echo started && { httpd -f -p 8080 -h /www & }'
    script = f"""mkdir -p /www && trap "exit 0" TERM && {serve} && wait"""
    port = "{name: http, containerPort: 8080" + (f", hostPort: {host_port}" if host_port else "") + "}"
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  labels: {{app: {name}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      {spec}
      containers:
      - name: web
        image: {image}
        command: ["sh", "-c"]
        args: ['{script}']
        env: [{{name: POD_NAME, valueFrom: {{fieldRef: {{fieldPath: metadata.name}}}}}}]
        ports: [{port}]
        readinessProbe: {{httpGet: {{port: http}}, periodSeconds: 1}}
"""


def web_service(name: str) -> str:
    """Return the manifest of the Service of such a Deployment, as a further document."""
    return f"""---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec:
  selector: {{app: {name}}}
  ports: [{{name: http, port: 80, targetPort: http}}]
"""
