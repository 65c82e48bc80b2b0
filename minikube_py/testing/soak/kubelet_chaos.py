"""One node under fire: containers, pause containers, the engine and the agent are killed while pods come and go.

Whatever is killed when, the end must be the same: exactly the containers that the API's pods want, every status
true, and nothing left of pods that are gone (testing.host_leftovers says what is looked at). The engine is killed
with live-restore and without, by SIGKILL and by SIGTERM. A run is repeated by its seed, as far as timing allows.
"""

import json
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from minikube_py.testing.host_leftovers import CONTAINER_NAME, POD_UID, SANDBOX, find_faults
from minikube_py.testing.lab import machine
from minikube_py.testing.lab.cluster import IMAGE, Cluster, wait_until
from minikube_py.testing.lab.lab import Lab

PODS_MAX = 10
ENGINE_STARTS_MAX = 8
QUIET_S = 240.0
"""How long the node has to come to rest once nothing is killed any more: back-offs go up to 300 s, so kills of one
container are rare enough that they stay far below."""
NAMESPACE = "default"


def run(minutes: float, seed: int) -> str:
    """Kill for `minutes`, then look; returns what was done.

    Raises:
        AssertionError: something leaked or is not true; one line for each.
    """
    folder = Path(tempfile.mkdtemp(prefix="mkpysoak", dir="/run"))
    lab = Lab(folder, 1)
    try:
        lab.up()
        cluster = Cluster(lab, folder)
        cluster.load_images(folder)
        return torment(cluster, minutes * 60, seed)
    except BaseException:
        kept = Path(tempfile.mkdtemp(prefix="mkpysoak-logs-"))
        for log in (lab.layout.hosts[0].agent_log, lab.layout.hosts[0].docker_log):
            shutil.copy(log, kept)
        click.echo(f"the logs are in {kept}", err=True)
        raise
    finally:
        lab.down()


def torment(cluster: Cluster, seconds: float, seed: int) -> str:
    """Do it to a running lab with an empty namespace `default`."""
    chaos = Chaos(cluster, random.Random(seed))  # noqa: S311 - a seed that can be repeated
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        chaos.strike()
    chaos.settle()
    chaos.clear()
    return ", ".join(f"{count} x {name}" for name, count in sorted(chaos.done.items()))


class Chaos:
    """What is done to one lab, and how its end is judged."""

    def __init__(self, cluster: Cluster, rng: random.Random) -> None:
        self._cluster = cluster
        self._rng = rng
        self._made = 0
        self.done: dict[str, int] = {}

    def strike(self) -> None:
        """Do one thing, and wait up to a second."""
        acts: Mapping[str, tuple[int, Callable[[], None]]] = {
            "create": (8, self._create),
            "delete": (5, self._delete),
            "kill container": (4, lambda: self._kill(sandbox=False)),
            "kill pause container": (3, lambda: self._kill(sandbox=True)),
            "kill engine": (1, self._kill_engine),
            "kill agent": (1, self._kill_agent),
        }
        weights = [weight for weight, _ in acts.values()]
        (name,) = self._rng.choices(list(acts), weights)
        self.done[name] = self.done.get(name, 0) + 1
        acts[name][1]()
        time.sleep(self._rng.random())

    def settle(self) -> None:
        """Wait until the host is as the API wants it.

        Raises:
            AssertionError: it does not become so; says what differs.
        """
        self._wait_api()
        faults: list[str] = []

        def at_rest() -> bool:
            faults[:] = self._faults()
            return not faults

        try:
            wait_until(at_rest, QUIET_S, "rest")
        except AssertionError:
            raise AssertionError("\n".join(faults)) from None

    def clear(self) -> None:
        """Delete all pods: nothing may be left."""
        self._cluster.kubectl("delete", "pods", "--all", "-n", NAMESPACE, "--wait=false")
        wait_until(lambda: not self._pods(), QUIET_S, "the end of all pods")
        self.settle()

    def _faults(self) -> list[str]:
        pods = self._pods()
        unready = [p["metadata"]["name"] for p in pods if not _is_settled(p)]
        return [f"pods {unready} are not what they should become"] if unready else find_faults(self._cluster, pods)

    def _pods(self) -> list[dict[str, Any]]:
        done = self._cluster.kubectl("get", "pods", "-n", NAMESPACE, "-o", "json", check=False)
        if done.returncode:
            raise AssertionError(done.stderr)
        items: list[dict[str, Any]] = json.loads(done.stdout)["items"]
        return items

    def _wait_api(self) -> None:
        wait_until(lambda: not self._cluster.kubectl("get", "--raw=/readyz", check=False).returncode, 60, "the API")

    def _create(self) -> None:
        names = self._names()
        if names is None or len(names) >= PODS_MAX:
            return
        self._made += 1
        manifest = json.dumps(pod_manifest(f"p{self._made}", self._rng))
        self._cluster.kubectl("apply", "-f", "-", "-n", NAMESPACE, stdin=manifest, check=False)

    def _delete(self) -> None:
        names = self._names()
        if names:
            grace = f"--grace-period={self._rng.choice((0, 1, 1, 2, 30))}"
            argv = ["delete", self._rng.choice(names), "-n", NAMESPACE, "--wait=false", grace]
            if grace.endswith("=0"):
                argv.append("--force")
            self._cluster.kubectl(*argv, check=False)

    def _names(self) -> list[str] | None:
        done = self._cluster.kubectl("get", "pods", "-n", NAMESPACE, "-o", "name", check=False)
        return sorted(done.stdout.split()) if not done.returncode else None

    def _kill(self, *, sandbox: bool) -> None:
        sign = f'--format={{{{.ID}}}} {{{{.Label "{CONTAINER_NAME}"}}}}'
        rows = self._cluster.docker("ps", "--no-trunc", f"--filter=label={POD_UID}", sign, check=False).splitlines()
        ids = sorted(row.split()[0] for row in rows if (row.split()[1] == SANDBOX) is sandbox)
        if ids:
            self._cluster.docker("kill", self._rng.choice(ids), check=False)

    def _kill_engine(self) -> None:
        host, lab = self._cluster.host, self._cluster.lab
        sig = self._rng.choice((signal.SIGKILL, signal.SIGTERM))
        machine.stop_process(lab.pids[f"{host.name}/dockerd"], sig=sig)
        time.sleep(self._rng.random() * 2)
        lab.docker_flags = ("--live-restore",) if self._rng.random() < 0.5 else ()
        for _ in range(ENGINE_STARTS_MAX):
            try:
                lab.start_docker(host)
            except machine.LabError as error:
                # It waits 15 s for its containerd, which may still wait for the files of the one that was killed;
                # systemd starts it again then.
                click.echo(str(error), err=True)
            else:
                return
        raise machine.LabError(f"dockerd did not start in {ENGINE_STARTS_MAX} tries")

    def _kill_agent(self) -> None:
        host, lab = self._cluster.host, self._cluster.lab
        lab.stop(host, sig=self._rng.choice((signal.SIGKILL, signal.SIGTERM)))
        time.sleep(self._rng.random() * 2)
        lab.start(host, wait=False)
        click.echo(f"agent started again after {sum(self.done.values())} acts", err=True)
        if self._rng.random() < 0.7:
            self._wait_api()


def _is_settled(pod: dict[str, Any]) -> bool:
    status = pod.get("status", {})
    if pod["metadata"].get("deletionTimestamp"):
        return False
    if pod["spec"]["restartPolicy"] == "Never" and status.get("phase") in ("Succeeded", "Failed"):
        return True
    states = status.get("containerStatuses") or ()
    return status.get("phase") == "Running" and bool(states) and all("running" in s["state"] for s in states)


def pod_manifest(name: str, rng: random.Random) -> dict[str, Any]:
    """Return a pod of one of the kinds that differ for the kubelet."""
    script = 'trap "exit 0" TERM; while true; do sleep 0.2; done'
    container: dict[str, Any] = {"image": IMAGE, "command": ["sh", "-c", script]}
    volumes: list[dict[str, Any]] = [
        {"name": "disk", "emptyDir": {}},
        {"name": "memory", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
    ]
    container["volumeMounts"] = [{"name": v["name"], "mountPath": f"/{v['name']}"} for v in volumes]
    spec: dict[str, Any] = {
        "terminationGracePeriodSeconds": 2,
        "restartPolicy": rng.choice(("Always", "Always", "Never")),
        "containers": [{**container, "name": f"c{n}"} for n in range(rng.choice((1, 1, 2)))],
        "volumes": volumes,
    }
    if rng.random() < 0.3:
        spec["initContainers"] = [{"name": "init", "image": IMAGE, "command": ["true"]}]
    if rng.random() < 0.2:
        spec["shareProcessNamespace"] = True
    if rng.random() < 0.3:
        spec["containers"][0]["resources"] = {"limits": {"memory": "32Mi", "cpu": "500m"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
