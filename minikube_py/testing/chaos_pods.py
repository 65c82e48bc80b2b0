"""The pods of the chaos runs: every kind that a kubelet treats differently, chosen by a random source.

Each pod looks at what it was given and ends with an exit code of its own when something is missing (71 and up), so
that a volume which is not what it should be shows as a pod that never comes to rest.
"""

import random
from collections.abc import Sequence
from typing import Any

Obj = dict[str, Any]

CONFIG = "words"
"""The ConfigMap that every pod has: `word` is `told`."""
SERVICE = "all"
"""The Service of all pods: their endpoints are withdrawn before they stop."""
RESTLESS = "restless"
"""The label of pods whose containers end again and again by themselves."""
SERVE_PORT = 8080
HOST_PORTS = range(20000, 30000)
"""Pod N has the Nth of them if it has one."""

_CHECK = (
    '[ "$(cat /config/word)" = told ] || exit 71; [ -s /token/token ] || exit 72; '
    "echo started >> /disk/starts && echo started >> /memory/starts || exit 73; "
)
_WAIT = "while true; do sleep 3600 & wait $!; done"
_LIVES = {
    "ends at once": f'trap "exit 0" TERM; {_WAIT}',
    "ignores TERM": f'trap "" TERM; {_WAIT}',
    "crashes": "sleep 2; exit 3",
    "completes": "sleep 2; exit 0",
}
"""What a container does with its life, by name."""


class PodKinds:
    """Makes pods of random kinds and counts what they have."""

    def __init__(self, image: str) -> None:
        self._image = image
        self.counts: dict[str, int] = {}

    def ground(self) -> Sequence[Obj]:
        """Return what must be there before the pods: their ConfigMap and their Service."""
        config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": CONFIG}, "data": {"word": "told"}}
        spec = {"selector": {"service": SERVICE}, "ports": [{"port": 80, "targetPort": SERVE_PORT}]}
        return config, {"apiVersion": "v1", "kind": "Service", "metadata": {"name": SERVICE}, "spec": spec}

    def make(self, number: int, rng: random.Random) -> Sequence[Obj]:
        """Return the objects of pod `number`: the pod, after its claim if it has one."""
        name = f"p{number}"
        life = rng.choices(list(_LIVES), (10, 3, 2, 2))[0]
        main = self._container("c0", _CHECK + self._serve(name) + _LIVES[life])
        pod: Obj = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": {"service": SERVICE}},
            "spec": {
                "terminationGracePeriodSeconds": rng.choice((1, 2, 2, 5)),
                "restartPolicy": "OnFailure" if life == "completes" else rng.choice(("Always", "Always", "Never")),
                "containers": [main],
                "volumes": _volumes(),
            },
        }
        main["volumeMounts"] = [{"name": v["name"], "mountPath": f"/{v['name']}"} for v in pod["spec"]["volumes"]]
        self._count(life)
        if life == "crashes" and pod["spec"]["restartPolicy"] == "Always":
            pod["metadata"]["labels"][RESTLESS] = "true"
        features = {
            "second container": (0.3, self._add_second),
            "init containers": (0.3, self._add_init),
            "sidecar": (0.25, self._add_sidecar),
            "shared process namespace": (0.2, _share_processes),
            "limits": (0.3, _add_limits),
            "readiness probe": (0.4, _add_readiness),
            "liveness and startup probes": (0.3, _add_liveness),
            "preStop hook": (0.25, _add_pre_stop),
            "claim": (0.2, _add_claim),
        }
        for feature, (share, add) in features.items():
            if rng.random() < share:
                self._count(feature)
                add(pod, rng)
        self._choose_network(pod, number, rng)
        claims = [
            v["persistentVolumeClaim"]["claimName"] for v in pod["spec"]["volumes"] if "persistentVolumeClaim" in v
        ]
        return (*map(_claim, claims), pod)

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    def _container(self, name: str, script: str) -> Obj:
        return {"name": name, "image": self._image, "command": ["sh", "-c", script]}

    def _serve(self, name: str) -> str:
        return f"mkdir -p /www && echo {name} > /www/index.html && {{ httpd -f -p {SERVE_PORT} -h /www & }}; "

    def _choose_network(self, pod: Obj, number: int, rng: random.Random) -> None:
        kind = rng.choices(("own address", "hostPort", "hostNetwork"), (10, 4, 1))[0]
        self._count(kind)
        main = pod["spec"]["containers"][0]
        if kind == "hostPort":
            main["ports"] = [{"containerPort": SERVE_PORT, "hostPort": HOST_PORTS[number]}]
        elif kind == "hostNetwork":
            pod["spec"]["hostNetwork"] = True
            # One port for all of them: what does not get it would not be ready.
            main.pop("readinessProbe", None)

    def _add_second(self, pod: Obj, rng: random.Random) -> None:
        pod["spec"]["containers"].append(self._container("c1", _LIVES[rng.choice(("ends at once", "ignores TERM"))]))
        if pod["spec"]["restartPolicy"] == "OnFailure":
            pod["spec"]["containers"][1]["command"][2] = _LIVES["completes"]

    def _add_init(self, pod: Obj, rng: random.Random) -> None:
        inits = [self._container(f"i{n}", f"sleep {rng.choice((0, 1))}") for n in range(rng.choice((1, 2)))]
        pod["spec"].setdefault("initContainers", []).extend(inits)

    def _add_sidecar(self, pod: Obj, rng: random.Random) -> None:
        sidecar = self._container("side", _LIVES[rng.choice(("ends at once", "ignores TERM"))])
        pod["spec"].setdefault("initContainers", []).append({**sidecar, "restartPolicy": "Always"})


def _volumes() -> list[Obj]:
    token = {"serviceAccountToken": {"path": "token", "expirationSeconds": 600}}
    return [
        {"name": "disk", "emptyDir": {}},
        {"name": "memory", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
        {"name": "config", "configMap": {"name": CONFIG}},
        {"name": "token", "projected": {"sources": [token, {"configMap": {"name": CONFIG}}]}},
    ]


def _claim(name: str) -> Obj:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def _share_processes(pod: Obj, _: random.Random) -> None:
    pod["spec"]["shareProcessNamespace"] = True


def _add_limits(pod: Obj, rng: random.Random) -> None:
    limits = {"memory": "32Mi", "cpu": "500m"}
    for container in pod["spec"]["containers"]:
        container["resources"] = {"limits": limits, "requests": limits if rng.random() < 0.5 else {"cpu": "10m"}}


def _add_readiness(pod: Obj, rng: random.Random) -> None:
    handlers: tuple[Obj, ...] = (
        {"exec": {"command": ["test", "-f", "/www/index.html"]}},
        {"httpGet": {"port": SERVE_PORT}},
        {"tcpSocket": {"port": SERVE_PORT}},
    )
    pod["spec"]["containers"][0]["readinessProbe"] = {**rng.choice(handlers), "periodSeconds": 2, "timeoutSeconds": 5}


def _add_liveness(pod: Obj, _: random.Random) -> None:
    # The machine is busy: a probe that is merely late must not end the pod.
    probe = {"exec": {"command": ["true"]}, "periodSeconds": 3, "timeoutSeconds": 10, "failureThreshold": 5}
    pod["spec"]["containers"][0].update(livenessProbe=probe, startupProbe={**probe, "failureThreshold": 30})


def _add_pre_stop(pod: Obj, rng: random.Random) -> None:
    hook = rng.choice(({"sleep": {"seconds": 1}}, {"exec": {"command": ["sleep", "1"]}}))
    pod["spec"]["containers"][0]["lifecycle"] = {"preStop": hook}


def _add_claim(pod: Obj, _: random.Random) -> None:
    claim = {"claimName": f"{pod['metadata']['name']}-data"}
    pod["spec"]["volumes"].append({"name": "data", "persistentVolumeClaim": claim})
    pod["spec"]["containers"][0]["volumeMounts"].append({"name": "data", "mountPath": "/data"})
