"""One node under fire: containers, pause containers, the engine and the agent are killed while pods come and go.

Whatever is killed when, the end must be the same: exactly the containers that the API's pods want, every status
true, and nothing left of pods that are gone (testing.host_leftovers says what is looked at). The engine is killed
with live-restore and without, by SIGKILL and by SIGTERM, alone and together with the agent, also in the middle of
starts and of ends. What each act does follows from the seed and its number; what it meets depends on timing.
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

from minikube_py.testing.chaos_pods import RESTLESS, PodKinds
from minikube_py.testing.host_leftovers import CONTAINER_NAME, POD_UID, SANDBOX, find_faults
from minikube_py.testing.lab import machine
from minikube_py.testing.lab.cluster import IMAGE, Cluster, wait_until
from minikube_py.testing.lab.lab import Lab

PODS_MAX = 10
CROWD = 3
"""Pods that are made or deleted at once before something is killed in the middle of it."""
CROWD_S = 2.0
ENGINE_END_S = 30.0
ENGINE_STARTS_MAX = 8
QUIET_S = 420.0
"""How long the node has to come to rest once nothing is killed any more: a container that was killed often waits up
to 300 s before it is started again."""
API_S = 120.0
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
    chaos = Chaos(cluster, seed)
    chaos.prepare()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        chaos.strike()
    chaos.settle()
    chaos.clear()
    return chaos.summary()


class Chaos:
    """What is done to one lab, and how its end is judged."""

    def __init__(self, cluster: Cluster, seed: int) -> None:
        self._cluster = cluster
        self._seed = seed
        self._rng = random.Random(seed)  # noqa: S311 - a seed that can be repeated
        """Of the act that is done: one act more or less draws of it changes no later one."""
        self._strikes = 0
        self._made = 0
        self._kinds = PodKinds(IMAGE)
        self._done: dict[str, int] = {}

    def prepare(self) -> None:
        """Make what the pods need."""
        self._apply(*self._kinds.ground(), check=True)

    def strike(self) -> None:
        """Do one thing, and wait up to a second."""
        self._revive_agent()
        self._strikes += 1
        self._rng = random.Random(f"{self._seed}/{self._strikes}")  # noqa: S311
        acts: Mapping[Callable[[], None], int] = {
            self._create: 8,
            self._delete: 5,
            lambda: self._kill(sandbox=False): 4,
            lambda: self._kill(sandbox=True): 3,
            self._kill_part: 2,
            self._kill_amid_starts: 1,
            self._kill_amid_ends: 1,
        }
        (act,) = self._rng.choices(list(acts), list(acts.values()))
        act()
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
        kinds = "pods,persistentvolumeclaims"
        self._cluster.kubectl("delete", kinds, "--all", "-n", NAMESPACE, "--wait=false")
        wait_until(lambda: not self._pods(), QUIET_S, "the end of all pods")
        self.settle()

    def summary(self) -> str:
        """Return what was done so far, and of what kinds the pods were."""
        acts, kinds = (
            ", ".join(f"{count} x {name}" for name, count in sorted(counts.items()))
            for counts in (self._done, self._kinds.counts)
        )
        return f"{self._strikes} acts: {acts}; {self._made} pods: {kinds}"

    def _faults(self) -> list[str]:
        pods = self._pods()
        unready = [p["metadata"]["name"] for p in pods if not is_settled(p)]
        return [f"pods {unready} are not what they should become"] if unready else find_faults(self._cluster, pods)

    def _pods(self) -> list[dict[str, Any]]:
        done = self._cluster.kubectl("get", "pods", "-n", NAMESPACE, "-o", "json", check=False)
        if done.returncode:
            raise AssertionError(done.stderr)
        items: list[dict[str, Any]] = json.loads(done.stdout)["items"]
        return items

    def _wait_api(self) -> None:
        def answers() -> bool:
            self._revive_agent()
            return not self._cluster.kubectl("get", "--raw=/readyz", check=False).returncode

        wait_until(answers, API_S, "the API")

    def _revive_agent(self) -> None:
        """Start the agent again if it has ended (it does when it finds no engine), as systemd does."""
        lab, host = self._cluster.lab, self._cluster.host
        if not machine.is_running(lab.pids[f"{host.name}/agent"]):
            self._count("agent ended by itself")
            lab.start(host, wait=False)

    def _count(self, what: str) -> None:
        self._done[what] = self._done.get(what, 0) + 1

    def _names(self, kind: str = "pods") -> list[str]:
        """Return what there is; nothing while the API server is away."""
        done = self._cluster.kubectl("get", kind, "-n", NAMESPACE, "-o", "name", check=False)
        return sorted(done.stdout.split())

    # Pods come and go.

    def _apply(self, *objects: Mapping[str, Any], check: bool = False) -> None:
        manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        self._cluster.kubectl("apply", "-f", "-", "-n", NAMESPACE, stdin=manifest, check=check)

    def _create(self) -> None:
        if len(self._names()) < PODS_MAX:
            self._create_some(1)

    def _create_some(self, count: int) -> None:
        objects: list[Mapping[str, Any]] = []
        for _ in range(count):
            self._made += 1
            rng = random.Random(f"{self._seed}/p{self._made}")  # noqa: S311
            objects += self._kinds.make(self._made, rng)
            self._count("create")
        self._apply(*objects)

    def _delete(self) -> None:
        self._delete_some(1)

    def _delete_some(self, count: int) -> None:
        names = self._names()
        chosen = self._rng.sample(names, min(count, len(names)))
        if not chosen:
            return
        grace_s = self._rng.choice((0, 1, 1, 2, 30))
        self._count(f"delete with grace {grace_s}")
        options = [
            f"--grace-period={grace_s}",
            "-n",
            NAMESPACE,
            "--wait=false",
            *(["--force"] if not grace_s else []),
        ]
        self._cluster.kubectl("delete", *chosen, *options, check=False)
        claims = [f"persistentvolumeclaim/{name.partition('/')[2]}-data" for name in chosen]
        self._cluster.kubectl("delete", *claims, "-n", NAMESPACE, "--ignore-not-found", "--wait=false", check=False)

    # What is killed.

    def _kill(self, *, sandbox: bool) -> None:
        sign = f'--format={{{{.ID}}}} {{{{.Label "{CONTAINER_NAME}"}}}}'
        rows = self._cluster.docker("ps", "--no-trunc", f"--filter=label={POD_UID}", sign, check=False).splitlines()
        ids = sorted(row.split()[0] for row in rows if (row.split()[1] == SANDBOX) is sandbox)
        if ids:
            self._count("kill pause container" if sandbox else "kill container")
            self._cluster.docker("kill", self._rng.choice(ids), check=False)

    def _kill_part(self, when: str = "") -> None:
        """Kill the engine, the agent or both, and start them again in either order."""
        parts = self._rng.choice((("engine",), ("agent",), ("engine", "agent"), ("agent", "engine")))
        for part in parts:
            sig = self._rng.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM))
            if part == "engine":
                self._stop_engine(sig, when)
            else:
                self._stop_agent(sig, when)
        time.sleep(self._rng.random() * 2)
        for part in self._rng.sample(parts, len(parts)):
            if part == "engine":
                self._start_engine()
            else:
                self._cluster.lab.start(self._cluster.host, wait=False)
                time.sleep(self._rng.random())
        click.echo(f"{self._strikes} acts: {' and '.join(parts)} killed{when}", err=True)
        if self._rng.random() < 0.7:
            self._wait_api()

    def _kill_amid_starts(self) -> None:
        if len(self._names()) < PODS_MAX:
            self._create_some(CROWD)
            time.sleep(self._rng.random() * CROWD_S)
            self._kill_part(" amid starts")

    def _kill_amid_ends(self) -> None:
        self._delete_some(CROWD)
        time.sleep(self._rng.random() * CROWD_S)
        self._kill_part(" amid ends")

    def _stop_engine(self, sig: signal.Signals, when: str) -> None:
        lab, host = self._cluster.lab, self._cluster.host
        live = "with" if lab.docker_flags else "without"
        self._count(f"{sig.name} to the engine {live} live-restore{when}")
        containerd = (host.dir / "exec/containerd/containerd.pid").read_text().strip()
        machine.stop_process(lab.pids[f"{host.name}/dockerd"], sig=sig)
        # A dockerd that sees the last one's containerd in its last moments waits 15 s for it, and gives up.
        machine.wait_until(lambda: not Path(f"/proc/{containerd}").exists(), ENGINE_END_S, "containerd does not end")

    def _stop_agent(self, sig: signal.Signals, when: str) -> None:
        self._count(f"{sig.name} to the agent{when}")
        self._cluster.lab.stop(self._cluster.host, sig=sig)

    def _start_engine(self) -> None:
        lab, host = self._cluster.lab, self._cluster.host
        lab.docker_flags = ("--live-restore",) if self._rng.random() < 0.5 else ()
        for _ in range(ENGINE_STARTS_MAX):
            try:
                lab.start_docker(host)
            except machine.LabError as error:
                # As systemd does: on a busy machine its containerd may take longer than it waits.
                click.echo(str(error), err=True)
            else:
                return
        raise machine.LabError(f"dockerd did not start in {ENGINE_STARTS_MAX} tries")


def is_settled(pod: Mapping[str, Any]) -> bool:
    """Return whether a pod is what it should become: over, or each of its containers ready or ended for good."""
    status, policy = pod.get("status") or {}, pod["spec"]["restartPolicy"]
    if pod["metadata"].get("deletionTimestamp"):
        return False
    if policy != "Always" and status.get("phase") in ("Succeeded", "Failed"):
        return True
    restless = RESTLESS in pod["metadata"]["labels"]
    entries = status.get("containerStatuses") or ()
    return bool(entries) and all(_is_right(entry, policy, restless=restless) for entry in entries)


def _is_right(entry: Mapping[str, Any], policy: str, *, restless: bool) -> bool:
    """Return whether a container has come to rest; a restless pod's may also wait for their next start."""
    waiting, ended = entry["state"].get("waiting") or {}, entry["state"].get("terminated")
    if restless:
        return "running" in entry["state"] or waiting.get("reason") == "CrashLoopBackOff"
    if ended is not None:
        return policy == "Never" or (policy == "OnFailure" and ended["exitCode"] == 0)
    return bool(entry["ready"])
