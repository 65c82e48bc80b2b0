"""Every difference between the recording (a kubelet of 1.20 with dockershim) and this kubelet of 1.36 that is meant.

An entry names scenarios and differences by patterns and says why. What has no entry is a fault. Texts that later
releases changed everywhere are translated instead (`text_of_136`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """One meant difference: whole-string patterns for the scenario's name, the start of one for the difference."""

    scenario: str
    difference: str
    reason: str


_TEXTS: tuple[tuple[str, str], ...] = (
    (r"^Created container .*", "Container created"),
    (r"^Started container .*", "Container started"),
    (r"^(Exec|Http) lifecycle hook \(.*for Container.*", "PostStartHook failed"),
)

KNOWN: tuple[Known, ...] = ()


def text_of_136(message: str, pod: str) -> str:
    """Return an event's message as a kubelet of 1.36 writes it."""
    if message == "Back-off restarting failed container":
        return f"{message} c in pod {pod}_obs-pods(<uid>)"
    for pattern, text in _TEXTS:
        if re.match(pattern, message, re.DOTALL):
            return text
    return message


def split(scenario: str, differences: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the differences that have no entry, and those that have one, with the reason."""
    unknown: list[str] = []
    known: list[str] = []
    for difference in differences:
        for entry in KNOWN:
            if re.fullmatch(entry.scenario, scenario) and re.match(entry.difference, difference, re.DOTALL):
                known.append(f"{difference} ({entry.reason})")
                break
        else:
            unknown.append(difference)
    return unknown, known
