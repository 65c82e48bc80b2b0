"""Three hosts with something on each to lose, the ways in which a host goes away, and what must be true afterwards.

`keeper` has a pod on each host (a host port keeps them apart) that stays however long its host is silent; `mover` is
one pod on a worker that is replaced when its host has been silent for the default time. The pods ask for no token of
a service account: only a master can give one, and they are to start without.
"""

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

from minikube_py.testing.lab import machine
from minikube_py.testing.lab.cluster import Cluster, wait_until, web_pods, web_service
from minikube_py.testing.lab.lab import Lab
from minikube_py.testing.lab.layout import HostLayout

Pod = Mapping[str, Any]

HOSTS = ("lab1", "lab2", "lab3")
HOST_PORT = 8089
LONG_S = 90.0
"""What is waited for takes seconds; a machine that is busy takes its time."""
_STAY = "tolerations: [{key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute}]"
_ON_WORKERS = (
    "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
    "[{matchExpressions: [{key: kubernetes.io/hostname, operator: NotIn, values: [lab1]}]}]}}}"
)


_SPEC = "terminationGracePeriodSeconds: 1\n      automountServiceAccountToken: false\n      "
_KEEPER = web_pods("keeper", 3, _SPEC + _STAY, host_port=HOST_PORT)
_MOVER = web_pods("mover", 1, _SPEC + _ON_WORKERS)
MANIFEST = f"{_KEEPER}---{_MOVER}{web_service('keeper')}"


@dataclass(frozen=True, slots=True)
class Outage:
    """A way in which a host goes away and comes back."""

    begin: Callable[[Lab, HostLayout], None]
    end: Callable[[Lab, HostLayout], None]
    restarts: int = 0
    """How often it makes the host's containers start anew."""


OUTAGES: Mapping[str, Outage] = {
    "agent killed": Outage(
        lambda lab, host: lab.stop(host, sig=signal.SIGKILL),
        lambda lab, host: lab.start(host),
    ),
    "agent frozen": Outage(
        lambda lab, host: lab.signal(host, signal.SIGSTOP),
        lambda lab, host: lab.signal(host, signal.SIGCONT),
    ),
    "cut off": Outage(lambda lab, host: lab.partition(host, lab.layout.master), lambda lab, host: lab.heal()),
    "cannot be heard": Outage(lambda lab, host: lab.cut(host, lab.layout.master), lambda lab, host: lab.heal()),
    "cannot hear": Outage(lambda lab, host: lab.cut(lab.layout.master, host), lambda lab, host: lab.heal()),
    "power lost": Outage(
        lambda lab, host: lab.power_off(host),
        lambda lab, host: lab.power_on(host),
        restarts=1,
    ),
}


@dataclass(frozen=True, slots=True)
class Run:
    """What changes when a pod is replaced, or its container started anew."""

    pod_uid: str
    container_id: str
    restarts: int


class ThreeHosts:
    """A lab of three hosts with MANIFEST applied; the master is lab1."""

    def __init__(self, lab: Lab, cluster: Cluster) -> None:
        self.lab = lab
        self.cluster = cluster
        self.master = lab.layout.master

    @classmethod
    def bring_up(cls, lab: Lab, folder: Path) -> Self:
        """Start the lab and MANIFEST's pods; `folder` takes the images and what kubectl keeps."""
        lab.up()
        cluster = Cluster(lab, folder)
        cluster.load_images(folder)
        cluster.apply("default", MANIFEST)
        found = cls(lab, cluster)
        found.wait_whole()
        return found

    def ready(self, host: str) -> tuple[str, str]:
        """Return status and reason of the node's Ready condition."""
        conditions = self.cluster.get("node", host)["status"]["conditions"]
        return next((c["status"], c["reason"]) for c in conditions if c["type"] == "Ready")

    def taints(self, host: str) -> set[tuple[str, str]]:
        """Return the node's taints, without the keys' domain."""
        spec = self.cluster.get("node", host)["spec"]
        return {(taint["key"].partition("/")[2], taint["effect"]) for taint in spec.get("taints", ())}

    def pods(self, app: str) -> list[Pod]:
        """Return the pods of a Deployment."""
        pods: list[Pod] = self.cluster.get("pods", "-l", f"app={app}")["items"]
        return pods

    def keeper(self, host: str) -> Pod:
        """Return the pod of `keeper` on a host."""
        (pod,) = (pod for pod in self.pods("keeper") if pod["spec"].get("nodeName") == host)
        return pod

    def mover(self, *, instead_of: str = "") -> Pod:
        """Return the pod of `mover` that is not on its way out, once it is Ready and not the one of this name."""

        def found() -> list[Pod]:
            alive = [pod for pod in self.pods("mover") if "deletionTimestamp" not in pod["metadata"]]
            return alive if len(alive) == 1 and is_ready(alive[0]) and name_of(alive[0]) != instead_of else []

        return wait_until(found, LONG_S, "a ready mover")[0]

    def answering(self, host: str) -> set[str]:
        """Return the names of those that answer requests from a host to the Service."""
        return set(self.cluster.on(host).ask(self.service_address(), 80, 40))

    def _is_answered_by(self, host: str, names: set[str]) -> bool:
        return self.answering(host) == names

    def service_address(self) -> str:
        """Return the cluster IP of the Service `keeper`."""
        return str(self.cluster.get("service", "keeper")["spec"]["clusterIP"])

    def is_whole(self) -> bool:
        """Return whether every node is Ready and everything runs once."""
        keepers = self.pods("keeper")
        return (
            all(self.ready(host)[0] == "True" and not self.taints(host) for host in HOSTS)
            and sorted(pod["spec"].get("nodeName", "") for pod in keepers) == list(HOSTS)
            and all(map(is_ready, keepers))
            and len(self.pods("mover")) == 1
        )

    def wait_whole(self, timeout_s: float = LONG_S) -> None:
        """Wait until everything is as it should be: in the API, on the way through the Service, and in every engine.

        Raises:
            AssertionError: it does not get so.
        """
        wait_until(self.is_whole, timeout_s, "the cluster as it was")
        everyone = {name_of(pod) for pod in self.pods("keeper")}
        for host in HOSTS:
            wait_until(partial(self._is_answered_by, host, everyone), timeout_s, f"a whole Service on {host}")
        wait_until(lambda: not self.strangers(), timeout_s, "no container of a pod that is not there")

    def wait_back(self, host: str, before: Run, restarts: int, timeout_s: float = LONG_S) -> None:
        """Wait until everything is as it was `before`, but that the host's container was started anew so often.

        Raises:
            AssertionError: it does not get so, or was started anew more often, or not in the same container.
        """

        def is_shown() -> bool:
            return run_of(self.keeper(host)).restarts >= before.restarts + restarts

        wait_until(is_shown, timeout_s, "a status that tells of the restart")
        self.wait_whole(timeout_s)
        after = run_of(self.keeper(host))
        expected = replace(before, restarts=before.restarts + restarts)
        if restarts:
            expected = replace(expected, container_id=after.container_id)
        assert after == expected, f"{before} on {host} became {after}"

    def strangers(self) -> set[str]:
        """Return uids of pods that have a container on a host that is not theirs, or that are no pods any more."""
        homes = {(pod["spec"].get("nodeName"), pod["metadata"]["uid"]) for pod in self.cluster.get("pods")["items"]}
        label = '{{.Label "io.kubernetes.pod.uid"}}'
        return {
            uid
            for host in self.lab.layout.hosts
            for uid in machine.docker(host, ["ps", "-a", "--format", label]).stdout.split()
            if (host.name, uid) not in homes
        }


def is_ready(pod: Pod) -> bool:
    """Return whether the pod's Ready condition is true."""
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", ()))


def name_of(pod: Pod) -> str:
    """Return a pod's name."""
    return str(pod["metadata"]["name"])


def run_of(pod: Pod) -> Run:
    """Return which run of its one container a pod is at."""
    (status,) = pod["status"]["containerStatuses"]
    return Run(pod["metadata"]["uid"], status["containerID"], status["restartCount"])
