"""What differs between a recorded pod and the same pod here: statuses, events, runs, Docker settings, insides.

Each difference is one line, `place: observed … here …`, so that a table of known ones (known_differences) can name it
by a pattern. Ids, times and addresses are placeholders on both sides. What 1.20 did not have is not compared.
"""

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]

NEW_CONDITIONS = frozenset(("PodReadyToStartContainers",))
"""Conditions that a kubelet of 1.20 did not write."""
_OF_EVERY_RUN = (
    (r"\b[0-9a-f]{64}\b", "<cid>"),
    (r"\.\.\d{4}(_\d\d){5}\.[\w-]+", "..<stamp>"),
    (r"\b\d{4}-\d\d-\d\dT[\d:.]+Z", "T"),
)
"""Patterns -> placeholder: container ids, folders of volumes, times."""
_ENTRY_FIELDS = ("ready", "restartCount", "image")


@dataclass(frozen=True, slots=True)
class Placeholders:
    """What this run's values are called in the recording."""

    uid: str = ""
    pod_ip: str = ""
    host_ip: str = ""
    node: str = ""
    others: Mapping[str, str] = field(default_factory=dict)
    """Further values -> placeholder."""

    def apply(self, text: str) -> str:
        """Return `text` with this run's values replaced."""
        named = {self.uid: "<uid>", self.pod_ip: "<podIP>", self.host_ip: "<hostIP>", **self.others}
        for value, placeholder in sorted(named.items(), key=lambda item: -len(item[0])):
            if value:
                text = text.replace(value, placeholder)
        for pattern, placeholder in _OF_EVERY_RUN:
            text = re.sub(pattern, placeholder, text)
        return re.sub(rf"(?<![\w-]){re.escape(self.node)}(?![\w-])", "<node>", text) if self.node else text


def diff_status(observed: Json, here: Json) -> list[str]:
    """Return how a status differs from the recorded one."""
    found: list[str] = []
    for name in ("phase", "reason", "message", "qosClass"):
        _compare(found, name, observed.get(name), here.get(name))
    _diff_conditions(found, observed, here)
    for group in ("initContainerStatuses", "containerStatuses"):
        entries = {entry["name"]: entry for entry in here.get(group) or ()}
        for entry in observed.get(group) or ():
            _diff_entry(found, entry, entries.get(entry["name"]) or {})
    return found


def _compare(found: list[str], place: str, observed: Any, here: Any) -> None:
    if observed != here:
        shown = [json.dumps(value, ensure_ascii=False, sort_keys=True) for value in (observed, here)]
        found.append(f"{place}: observed {shown[0]} here {shown[1]}")


def _diff_conditions(found: list[str], observed: Json, here: Json) -> None:
    before = {c["type"]: c for c in observed.get("conditions") or ()}
    after = {c["type"]: c for c in here.get("conditions") or () if c["type"] not in NEW_CONDITIONS}
    for kind in sorted(before.keys() | after.keys()):
        for part in ("status", "reason", "message"):
            old, new = before.get(kind, {}).get(part), after.get(kind, {}).get(part)
            _compare(found, f"conditions.{kind}.{part}", old, new)


def _diff_entry(found: list[str], observed: Json, here: Json) -> None:
    place = f"containers.{observed['name']}"
    for name in _ENTRY_FIELDS:
        _compare(found, f"{place}.{name}", observed.get(name), here.get(name))
    for name in ("state", "lastState"):
        _compare(found, f"{place}.{name}", _state(observed.get(name)), _state(here.get(name)))


def _state(state: Json | None) -> Any:
    for kind, value in (state or {}).items():
        return {kind: {k: v for k, v in value.items() if not k.endswith("At") and k != "containerID"}}
    return {}


@dataclass(frozen=True, slots=True)
class EventText:
    """An event as it is compared: how often it came is not."""

    type: str
    reason: str
    message: str

    def __str__(self) -> str:
        """Return it as a line."""
        return f"{self.type} {self.reason} {self.message}"


def diff_events(observed: Sequence[EventText], here: Sequence[EventText], *, complete: bool) -> list[str]:
    """Return events that were recorded and did not come, and Warnings that came and were not recorded."""
    found = [f"events: missing {event}" for event in dict.fromkeys(observed) if event not in here]
    if complete:
        extra = [event for event in dict.fromkeys(here) if event not in observed and event.type == "Warning"]
        found += [f"events: extra {event}" for event in extra]
    return found


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a container."""

    container: str
    started_s: float
    finished_s: float
    exit_code: int
    reason: str


def diff_runs(observed: Sequence[Run], here: Sequence[Run]) -> list[str]:
    """Return how the runs' ends differ, and waits between them that are not the recorded ones (the back-off)."""
    found: list[str] = []
    by_name: dict[str, list[Run]] = defaultdict(list)
    for run in here:
        by_name[run.container].append(run)
    recorded: dict[str, list[Run]] = defaultdict(list)
    for run in observed:
        recorded[run.container].append(run)
    for name, runs in sorted(recorded.items()):
        mine = by_name[name]
        both = list(zip(runs, mine, strict=False))
        for index, (old, new) in enumerate(both):
            place = f"runs.{name}.{index}"
            _compare(found, place, [old.exit_code, old.reason], [new.exit_code, new.reason])
        for index in range(1, len(both)):
            waited = runs[index].started_s - runs[index - 1].finished_s
            mine_waited = mine[index].started_s - mine[index - 1].finished_s
            # The recorder's host was loaded and a kubelet of 1.20 looked only now and then.
            if abs(waited - mine_waited) > 6.0 + 0.35 * waited:
                found.append(f"runs.{name}.{index}.wait: observed {waited:.0f} here {mine_waited:.0f}")
    return found


def diff_mapping(place: str, observed: Json, here: Json) -> list[str]:
    """Return how the values of two flat mappings differ, key by key."""
    found: list[str] = []
    for key in sorted(observed.keys() | here.keys()):
        _compare(found, f"{place}.{key}", observed.get(key), here.get(key))
    return found


def diff_lines(place: str, observed: Sequence[str], here: Sequence[str]) -> list[str]:
    """Return lines of a command's output that only one side has."""
    found = [f"{place}: missing {line}" for line in observed if line and line not in here]
    return found + [f"{place}: extra {line}" for line in here if line and line not in observed]
