"""What of a running pod may change: images, a shorter deadline, further tolerations, fewer gates.

Upstream: pkg/apis/core/validation ValidatePodUpdate.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from minikube_py.api.meta import Obj, copy_object
from minikube_py.api.rules.faults import INT32_MAX, Faults, forbidden, invalid, items, part

FROZEN = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def validate_pod_spec_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of a change of a pod's spec."""
    resized = [
        field for field in ("containers", "initContainers") if len(items(new, field)) != len(items(old, field))
    ]
    for field in resized:
        yield forbidden(f"spec.{field}", "pod updates may not add or remove containers")
    if resized:
        return
    yield from _validate_deadline(new.get("activeDeadlineSeconds"), old.get("activeDeadlineSeconds"))
    yield from _validate_tolerations(items(new, "tolerations"), items(old, "tolerations"))
    yield from _validate_gates(items(new, "schedulingGates"), items(old, "schedulingGates"))
    if _frozen(new, old) != _frozen(old, old):
        yield forbidden("spec", FROZEN)


def _validate_deadline(new: int | None, old: int | None) -> Faults:
    path = "spec.activeDeadlineSeconds"
    if new is not None:
        if not 0 <= new <= INT32_MAX:
            yield invalid(path, new, f"must be between 0 and {INT32_MAX}, inclusive")
        elif old is not None and new > old:
            yield invalid(path, new, "must be less than or equal to previous value")
    elif old is not None:
        yield invalid(path, "null", "must not update from a positive integer to nil value")


def _validate_tolerations(new: Sequence[Mapping[str, Any]], old: Sequence[Mapping[str, Any]]) -> Faults:
    kept = set(map(_without_seconds, new))
    if not all(_without_seconds(toleration) in kept for toleration in old):
        yield forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")


def _without_seconds(toleration: Mapping[str, Any]) -> frozenset[tuple[str, Any]]:
    """Return what must not change; a set, since a pod may have as many tolerations as a request has room for."""
    return frozenset((field, value) for field, value in toleration.items() if field != "tolerationSeconds")


def _validate_gates(new: Sequence[Mapping[str, Any]], old: Sequence[Mapping[str, Any]]) -> Faults:
    before = {gate.get("name") for gate in old}
    for index, gate in enumerate(new):
        if gate.get("name") not in before:
            detail = f"only deletion is allowed, but found new scheduling gate '{gate.get('name')}'"
            yield forbidden(f"spec.schedulingGates[{index}]", detail)


def _frozen(spec: Mapping[str, Any], old: Mapping[str, Any]) -> Obj:
    """Return the part of a spec that may not change, given what it was."""
    frozen = copy_object(spec)
    for field in ("activeDeadlineSeconds", "tolerations", "schedulingGates"):
        frozen.pop(field, None)
    for field in ("containers", "initContainers"):
        for container in items(frozen, field):
            container.pop("image", None)
    if (old.get("terminationGracePeriodSeconds") or 0) < 0 and spec.get("terminationGracePeriodSeconds") == 1:
        frozen["terminationGracePeriodSeconds"] = old["terminationGracePeriodSeconds"]
    if items(old, "schedulingGates"):  # a pod that waits at a gate may still be directed to fewer nodes
        selector = part(spec, "nodeSelector")
        if part(old, "nodeSelector").items() <= selector.items():
            frozen["nodeSelector"] = dict(part(old, "nodeSelector"))
    return {field: value for field, value in frozen.items() if value not in (None, {}, [], "")}
