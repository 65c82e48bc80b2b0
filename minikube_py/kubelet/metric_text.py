"""Prometheus' text format, for metrics that are made when they are asked for (no registry that outlives a pod).

Upstream: prometheus/common expfmt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Sample:
    """One line; `at_s` (wall clock) is written when the value was measured earlier than it is read."""

    labels: Mapping[str, str]
    value: float
    at_s: float | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """One metric with all its samples."""

    name: str
    help: str
    type: Literal["counter", "gauge"]
    samples: Sequence[Sample]


def render_families(families: Sequence[Family]) -> str:
    """Return the text; families without samples are left out."""
    lines: list[str] = []
    for family in families:
        if family.samples:
            lines.append(f"# HELP {family.name} {family.help}")
            lines.append(f"# TYPE {family.name} {family.type}")
            lines += [_line(family.name, sample) for sample in family.samples]
    return "\n".join([*lines, ""])


def _line(name: str, sample: Sample) -> str:
    labels = ",".join(f'{key}="{_escaped(value)}"' for key, value in sample.labels.items())
    at = "" if sample.at_s is None else f" {round(sample.at_s * 1000)}"
    return f"{name}{{{labels}}} {_number(sample.value)}{at}" if labels else f"{name} {_number(sample.value)}{at}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
