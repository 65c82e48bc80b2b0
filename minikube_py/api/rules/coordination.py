"""Leases: who holds what, and for how long.

Upstream: pkg/apis/coordination/validation.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.errors import FieldError
from minikube_py.api.meta import Obj
from minikube_py.api.names import qualified_name_faults
from minikube_py.api.resource import Rules
from minikube_py.api.rules.faults import NOT_NEGATIVE, Faults, all_invalid, invalid, part
from minikube_py.api.rules.metadata import validate_metadata, validate_metadata_update


def set_defaults(lease: Obj) -> None:
    """Fill in a Lease: its spec is always there."""
    lease.setdefault("spec", {})


def _nothing(obj: Obj) -> None:
    """Start as it was given."""


def _keep(new: Obj, old: Mapping[str, Any]) -> None:
    """Change nothing."""


def validate(lease: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of a Lease."""
    return (*validate_metadata(lease), *_validate_spec(part(lease, "spec")))


def validate_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of a changed Lease."""
    return (*validate_metadata_update(new, old), *_validate_spec(part(new, "spec")))


def _validate_spec(spec: Mapping[str, Any]) -> Faults:
    duration, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    if duration is not None and duration <= 0:
        yield invalid("spec.leaseDurationSeconds", duration, "must be greater than 0")
    if transitions is not None and transitions < 0:
        yield invalid("spec.leaseTransitions", transitions, NOT_NEGATIVE)
    if spec.get("strategy"):
        yield from all_invalid("spec.strategy", spec["strategy"], qualified_name_faults(spec["strategy"]))


LEASE_RULES = Rules(set_defaults, _nothing, _keep, validate, validate_update)
