"""Conditions of the common form (metav1.Condition), and what every status update is asked about them.

Upstream: apimachinery pkg/apis/meta/v1/validation (ValidateConditions).
"""

import re
from collections.abc import Mapping
from typing import Any

from minikube_py.api.names import qualified_name_faults
from minikube_py.api.rules.faults import (
    Faults,
    all_invalid,
    duplicate,
    indexed,
    invalid,
    required,
    too_long,
    unsupported,
)

REASON_MAX = 1024
MESSAGE_MAX = 32 * 1024
STATUSES = ("False", "True", "Unknown")
_REASON = re.compile(r"[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?")
_REASON_RULE = (
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric "
    "characters or '_,:', and must end with an alphanumeric character or '_'"
)


def check_conditions(status: Mapping[str, Any], path: str) -> Faults:
    """Yield the faults of `conditions` in a status."""
    seen: set[str] = set()
    for where, condition in indexed(status, "conditions", path):
        kind = condition.get("type") or ""
        if kind in seen:
            yield duplicate(f"{where}.type", kind)
        seen.add(kind)
        yield from check_condition(condition, where)


def check_condition(condition: Mapping[str, Any], path: str) -> Faults:
    """Yield the faults of one condition."""
    kind, status, reason = (condition.get(field) or "" for field in ("type", "status", "reason"))
    yield from all_invalid(f"{path}.type", kind, qualified_name_faults(kind))
    if status not in STATUSES:
        yield unsupported(f"{path}.status", status, STATUSES)
    generation = condition.get("observedGeneration") or 0
    if generation < 0:
        yield invalid(f"{path}.observedGeneration", generation, "must be greater than or equal to zero")
    if not condition.get("lastTransitionTime"):
        yield required(f"{path}.lastTransitionTime", "must be set")
    if not reason:
        yield required(f"{path}.reason", "must be set")
    elif not _REASON.fullmatch(reason):
        yield invalid(f"{path}.reason", reason, _REASON_RULE)
    if len(reason) > REASON_MAX:
        yield too_long(f"{path}.reason", REASON_MAX)
    if len(condition.get("message") or "") > MESSAGE_MAX:
        yield too_long(f"{path}.message", MESSAGE_MAX)
