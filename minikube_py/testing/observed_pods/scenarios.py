"""The recorded scenarios, read from the repository's fixture: what was posted, done to the pod, and seen."""

import gzip
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FIXTURE = Path(__file__).parents[3] / "tests" / "fixtures" / "observed" / "pods-1.20.json.gz"
NAMESPACE = "obs-pods"
"""Messages of the recording carry it, so the replay uses the same."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One recorded pod."""

    name: str
    manifest: Mapping[str, Any]
    refused: Mapping[str, Any] | None
    statuses: Sequence[Mapping[str, Any]]
    events: Sequence[Mapping[str, Any]]
    """Empty also where the recording lost the kubelet's (`events_lost`)."""
    events_lost: bool
    runs: Sequence[Mapping[str, Any]]
    docker: Sequence[Mapping[str, Any]]
    inside: Mapping[str, Any] | None
    delete: Mapping[str, Any] | None
    kill_signal: str = ""
    """The recorder sent this to container `c` from outside."""
    patches_gate: bool = False
    """The recorder set the readiness gate's condition."""
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def end(self) -> Mapping[str, Any]:
        """Return the last status that the pod had."""
        return next((s["status"] for s in reversed(self.statuses) if s.get("status")), {})

    @property
    def duration_s(self) -> float:
        """Return when the last thing happened."""
        return max((float(s["t"]) for s in self.statuses), default=0.0)


def load_scenarios(path: Path = FIXTURE) -> tuple[Scenario, ...]:
    """Return all scenarios in their order.

    Raises:
        FileNotFoundError: the fixture is not there: the long runs need a checkout of the repository.
    """
    with gzip.open(path) as file:
        document = json.load(file)
    return tuple(_scenario(raw) for raw in document["scenarios"])


def with_rivals(scenarios: Sequence[Scenario]) -> tuple[tuple[Scenario, ...], ...]:
    """Return each scenario with those after it that want a host port of its pod: they were recorded beside it."""
    together: list[list[Scenario]] = []
    holders: dict[int, list[Scenario]] = {}
    for scenario in scenarios:
        ports = _host_ports(scenario.manifest)
        holder = next((holders[port] for port in ports if port in holders), None)
        if holder is not None:
            holder.append(scenario)
            continue
        together.append([scenario])
        holders |= dict.fromkeys(ports, together[-1])
    return tuple(map(tuple, together))


def _host_ports(pod: Mapping[str, Any]) -> tuple[int, ...]:
    ports = [port for container in pod["spec"]["containers"] for port in container.get("ports") or ()]
    return tuple(port["hostPort"] for port in ports if "hostPort" in port)


def _scenario(raw: Mapping[str, Any]) -> Scenario:
    what = str((raw.get("action") or {}).get("what", ""))
    signal = re.match(r"docker kill -s (\w+) of container c", what)
    return Scenario(
        name=raw["scenario"],
        manifest=raw["manifest"],
        refused=raw.get("refused"),
        statuses=raw.get("statuses") or (),
        events=raw.get("events") or (),
        events_lost=bool(raw.get("events_incomplete")),
        runs=raw.get("container_runs") or (),
        docker=raw.get("docker") or (),
        inside=raw.get("inside"),
        delete=raw.get("delete"),
        kill_signal=signal.group(1) if signal else "",
        patches_gate="readiness" in raw["scenario"] and "patch of pods/status" in what,
        raw=raw,
    )
