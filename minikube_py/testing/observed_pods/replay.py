"""Plays recorded scenarios on a lab: posts the pod, does what the recorder did, and says what differs.

A scenario is through as soon as the pod's status is the recorded last one (known differences aside): states in
between depend on how fast a host is. Then its events, runs, Docker settings and insides are compared.
"""

import asyncio
import json
import subprocess
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from minikube_py.api.errors import NotFoundError, StatusError
from minikube_py.api.meta import ObjectKey, copy_object, name_of, parse_time
from minikube_py.api.resources import EVENTS, PODS, SERVICES
from minikube_py.client.interface import STRATEGIC, Change, Client, DeleteOptions, Selection
from minikube_py.client.io.informer import InformerSet
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.testing.lab.cluster import Cluster
from minikube_py.testing.observed_pods import known_differences
from minikube_py.testing.observed_pods.compare import (
    EventText,
    Placeholders,
    Run,
    diff_events,
    diff_lines,
    diff_mapping,
    diff_runs,
    diff_status,
)
from minikube_py.testing.observed_pods.docker_settings import mounts_of, settings_of
from minikube_py.testing.observed_pods.scenarios import NAMESPACE, Scenario

SLACK_S = 45.0
"""How much longer than in the recording a pod may take to come to the same end."""
EVENTS_SLACK_S = 8.0
"""Events are written after what they tell of."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one scenario went."""

    name: str
    differences: tuple[str, ...]
    """Those that are not known ones."""
    known: tuple[str, ...]
    """Differences that have an entry, with their reason."""
    seconds: float


@dataclass(slots=True)
class _Seen:
    """What the API showed of one pod."""

    objects: list[Mapping[str, Any]] = field(default_factory=list)
    gone: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Replay:
    """One for a lab; `playing` follows the API while it lasts."""

    def __init__(self, cluster: Cluster, client: Client) -> None:
        self._cluster = cluster
        self._client = client
        self._seen: dict[str, _Seen] = defaultdict(_Seen)
        self._events: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        self._services: Mapping[str, str] = {}

    @asynccontextmanager
    async def playing(self) -> AsyncIterator["Replay"]:
        """Follow pods and events of the scenarios' namespace."""
        informers = InformerSet(self._client, SystemClock(), lambda: 0.5)
        informers.informer(PODS, Selection(NAMESPACE)).subscribe(self._on_pod)
        informers.informer(EVENTS, Selection(NAMESPACE)).subscribe(self._on_event)
        await self._learn_services()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(informers.run())
            await informers.wait_synced()
            yield self
            task.cancel()

    async def _learn_services(self) -> None:
        wanted = {("default", "kubernetes"): "<kubernetesSvcIP>", (NAMESPACE, "obs-svc"): "<svcIP>"}
        found: dict[str, str] = {}
        for (namespace, name), placeholder in wanted.items():
            service = await self._client.get(SERVICES, ObjectKey(namespace, name))
            found[service["spec"]["clusterIP"]] = placeholder
        dns = found and next(iter(found)).rpartition(".")[0] + ".10"
        self._services = {**found, str(dns): "<dnsSvcIP>"}

    def _on_pod(self, change: Change) -> None:
        seen = self._seen[name_of(change.latest)]
        seen.objects.append(change.latest)
        seen.gone = change.new is None
        seen.changed.set()

    def _on_event(self, change: Change) -> None:
        if change.new is not None:
            self._events[change.new["involvedObject"].get("name", "")].append(change.new)

    # One scenario.

    async def play(self, scenario: Scenario, rivals: Sequence[Scenario] = ()) -> tuple[Outcome, ...]:
        """Play a scenario, then its rivals, which want what its pod has, and take its pod away."""
        began_s = time.monotonic()
        name = scenario.manifest["metadata"]["name"]
        try:
            found = await self._create(scenario)
            outcome = self._outcome(
                scenario, await self._compare(scenario, name) if found is None else found, began_s
            )
            return (outcome, *[one for rival in rivals for one in await self.play(rival)])
        finally:
            await self._remove(name)

    async def _create(self, scenario: Scenario) -> Sequence[str] | None:
        """Post the pod; None: it is to be looked at, otherwise what differs."""
        pod = copy_object(
            {**scenario.manifest, "metadata": {**scenario.manifest["metadata"], "namespace": NAMESPACE}}
        )
        if pod["spec"].get("nodeName") == "<node>":
            pod["spec"]["nodeName"] = self._cluster.host.name
        try:
            await self._client.create(PODS, pod)
        except StatusError as error:
            return [] if scenario.refused else [f"refused: observed no here {error.message}"]
        return ["refused: observed yes here no"] if scenario.refused else None

    def _outcome(self, scenario: Scenario, differences: Sequence[str], began_s: float) -> Outcome:
        unknown, known = known_differences.split(scenario.name, differences)
        return Outcome(scenario.name, tuple(unknown), tuple(known), time.monotonic() - began_s)

    async def _remove(self, name: str) -> None:
        try:
            await self._client.delete(PODS, ObjectKey(NAMESPACE, name), DeleteOptions(grace_period_s=1))
        except NotFoundError:
            return

    async def _compare(self, scenario: Scenario, name: str) -> list[str]:
        async with asyncio.TaskGroup() as group:
            acting = group.create_task(self._act(scenario, name))
            if scenario.delete is not None:
                await acting  # the end that is waited for is that of a pod which was deleted
            found = await self._reach_end(scenario, name)
            acting.cancel()
        if scenario.delete is not None:
            found += await self._wait_gone(scenario, name)
        else:
            found += await self._compare_docker(scenario, name)
        found += await self._compare_events(scenario, name)
        mine = self._runs(name)
        lost = known_differences.LOST_RUNS.get(scenario.name)
        if lost is not None:
            del mine[lost : lost + 1]
        return found + diff_runs(_recorded_runs(scenario), mine)

    async def _reach_end(self, scenario: Scenario, name: str) -> list[str]:
        seen = self._seen[name]
        more_s = known_differences.MORE_TIME_S.get(scenario.name, 0.0)
        until_s = time.monotonic() + 2 * scenario.duration_s + SLACK_S + more_s
        best: list[str] | None = None
        looked_at = 0
        while True:
            for obj in seen.objects[looked_at:]:
                looked_at += 1
                found = diff_status(scenario.end, self._normal(obj, obj.get("status") or {}))
                unknown, _ = known_differences.split(scenario.name, found)
                if not unknown:
                    return found
                best = found if best is None or len(found) <= len(best) else best
            left_s = until_s - time.monotonic()
            if left_s <= 0 or seen.gone:
                return best or ["status: observed something here nothing"]
            seen.changed.clear()
            try:
                async with asyncio.timeout(left_s):
                    await seen.changed.wait()
            except TimeoutError:
                continue

    def _placeholders(self, obj: Mapping[str, Any]) -> Placeholders:
        status = obj.get("status") or {}
        return Placeholders(
            uid=obj["metadata"]["uid"],
            pod_ip="" if obj["spec"].get("hostNetwork") else status.get("podIP", ""),
            host_ip=self._cluster.host.address,
            node=self._cluster.host.name,
            others=self._services,
        )

    def _normal(self, obj: Mapping[str, Any], value: Any) -> Any:
        return json.loads(self._placeholders(obj).apply(json.dumps(value, ensure_ascii=False)))

    # What the recorder did.

    async def _act(self, scenario: Scenario, name: str) -> None:
        if scenario.kill_signal:
            container = await self._running_container(name, "c")
            await asyncio.sleep(1.0)
            await self._docker("kill", "-s", scenario.kill_signal, container)
        if scenario.patches_gate:
            await self._running_container(name, "c")
            gate = {"type": "obs.example.com/gate", "status": "True"}
            await self._client.patch(
                PODS, ObjectKey(NAMESPACE, name), {"status": {"conditions": [gate]}}, patch_type=STRATEGIC,
                subresource="status",
            )  # fmt: skip
        if scenario.delete is not None:
            await self._delete(scenario, name)

    async def _delete(self, scenario: Scenario, name: str) -> None:
        assert scenario.delete is not None
        await self._before_delete(scenario, name)
        key = ObjectKey(NAMESPACE, name)
        _, _, grace = str(scenario.delete["request"]).partition("gracePeriodSeconds=")
        await self._client.delete(PODS, key, DeleteOptions(grace_period_s=int(grace) if grace else None))
        if (second := scenario.delete.get("second")) is not None:
            await asyncio.sleep(3.0)
            shorter = int(second["request"].partition("gracePeriodSeconds=")[2])
            await self._client.delete(PODS, key, DeleteOptions(grace_period_s=shorter))
        if "finalizers null" in str(scenario.delete.get("then")):
            await asyncio.sleep(8.0)
            await self._client.patch(PODS, key, {"metadata": {"finalizers": None}})

    async def _before_delete(self, scenario: Scenario, name: str) -> None:
        """Wait until the pod is as far as it was when the recorder deleted it."""
        assert scenario.delete is not None
        at_s = float(scenario.delete["t"])
        before = [s["status"] for s in scenario.statuses if s.get("status") and float(s["t"]) < at_s]
        seen = self._seen[name]
        until_s = time.monotonic() + SLACK_S
        while time.monotonic() < until_s:
            last = seen.objects[-1] if seen.objects else None
            if last is not None and not diff_status(before[-1], self._normal(last, last.get("status") or {})):
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(1.0)

    async def _running_container(self, name: str, container: str) -> str:
        """Return the id of a pod's running container."""
        while True:
            for entry in self._last_status(name).get("containerStatuses") or ():
                if entry["name"] == container and "running" in entry["state"]:
                    return str(entry["containerID"]).removeprefix("docker://")
            await asyncio.sleep(0.05)

    def _last_status(self, name: str) -> Mapping[str, Any]:
        objects = self._seen[name].objects
        return (objects[-1].get("status") or {}) if objects else {}

    async def _wait_gone(self, scenario: Scenario, name: str) -> list[str]:
        until_s = time.monotonic() + scenario.duration_s + SLACK_S
        while not self._seen[name].gone:
            if time.monotonic() > until_s:
                return ["deletion: observed gone here still there"]
            await asyncio.sleep(0.1)
        return []

    # What it left.

    async def _compare_events(self, scenario: Scenario, name: str) -> list[str]:
        wanted = [EventText(e["type"], e["reason"], known_differences.text_of_136(e, name)) for e in scenario.events]
        until_s = time.monotonic() + EVENTS_SLACK_S
        while True:
            obj = self._seen[name].objects[-1]
            texts = [
                (e["type"], e["reason"], e.get("message", ""))
                for e in self._events[name]
                if e["involvedObject"].get("uid") == obj["metadata"]["uid"]
            ]
            here = [EventText(kind, reason, self._placeholders(obj).apply(text)) for kind, reason, text in texts]
            found = diff_events(wanted, here, complete=not scenario.events_lost)
            unknown, _ = known_differences.split(scenario.name, found)
            if not unknown or time.monotonic() > until_s:
                return found
            await asyncio.sleep(0.5)

    async def _compare_docker(self, scenario: Scenario, name: str) -> list[str]:
        if not scenario.docker and scenario.inside is None:
            return []
        obj = self._seen[name].objects[-1]
        uid = obj["metadata"]["uid"]
        listed = await self._docker("ps", "-aq", "--no-trunc", "--filter", f"label=io.kubernetes.pod.uid={uid}")
        documents = json.loads(await self._docker("inspect", *listed.split())) if listed else []
        here = {_short_name(doc): self._normal(obj, doc) for doc in sorted(documents, key=lambda d: d["Created"])}
        found: list[str] = []
        for recorded in scenario.docker:
            container = _short_name(recorded)
            document = here.get(container) or {"HostConfig": {"NetworkMode": ""}}
            found += diff_mapping(f"docker.{container}", settings_of(recorded), settings_of(document))
            found += diff_mapping(f"mounts.{container}", mounts_of(recorded), mounts_of(document))
        if scenario.inside is not None:
            first = obj["spec"]["containers"][0]["name"]
            running = next((d["Id"] for d in documents if _short_name(d) == first and d["State"]["Running"]), "")
            said = await self._inside(running, scenario.inside["command"]) if running else ""
            lines = self._placeholders(obj).apply(said).splitlines()
            found += diff_lines("inside", scenario.inside["output"], lines)
        return found

    async def _inside(self, container: str, command: str) -> str:
        argv = ["docker", "-H", f"unix://{self._cluster.host.docker_socket}", "exec", container, "sh", "-c", command]
        return await asyncio.to_thread(_both_outputs, argv)

    async def _docker(self, *argv: str) -> str:
        command = ["docker", "-H", f"unix://{self._cluster.host.docker_socket}", *argv]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    def _runs(self, name: str) -> list[Run]:
        """Return the runs that statuses told of, each once, in the order of their starts."""
        found: dict[str, Run] = {}
        for obj in self._seen[name].objects:
            status = obj.get("status") or {}
            entries = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
            for entry in entries:
                for state in (entry["state"], entry.get("lastState") or {}):
                    ended = state.get("terminated")
                    if ended and ended.get("startedAt") and ended.get("containerID"):
                        found[ended["containerID"]] = Run(
                            entry["name"],
                            parse_time(ended["startedAt"]),
                            parse_time(ended["finishedAt"]),
                            ended["exitCode"],
                            ended["reason"],
                        )
        return sorted(found.values(), key=lambda run: run.started_s)


def _recorded_runs(scenario: Scenario) -> list[Run]:
    return [Run(r["container"], r["started_t"], r["finished_t"], r["exitCode"], r["reason"]) for r in scenario.runs]


def _both_outputs(argv: Sequence[str]) -> str:
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout


def _short_name(document: Mapping[str, Any]) -> str:
    return str(document["Name"]).split("_")[1]
