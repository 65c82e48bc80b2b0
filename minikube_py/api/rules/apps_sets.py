"""DaemonSets, StatefulSets and ControllerRevisions: what they get, and when they are right.

Upstream: pkg/apis/apps/v1 defaults.go and conversion.go, pkg/apis/apps/validation, registry/apps/*/strategy.go.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj, annotations_of, copy_object
from minikube_py.api.names import percent_faults
from minikube_py.api.rules.apps import validate_selector_and_template
from minikube_py.api.rules.core_storage import set_claim_defaults
from minikube_py.api.rules.faults import (
    Faults,
    check_immutable,
    check_not_negative,
    check_number_or_percent,
    forbidden,
    invalid,
    part,
    percent_of,
    required,
    unsupported,
)
from minikube_py.api.rules.pod_defaults import set_template_defaults
from minikube_py.api.rules.rule_sets import default, default_text, make_rules, start_with

ROLLING_UPDATE = "RollingUpdate"
ON_DELETE = "OnDelete"
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
"""The annotation that counts changes of a DaemonSet's template, from the time before ControllerRevisions."""
_FREE_OF_STATEFUL_SET = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)
_FROZEN_STATEFUL_SET = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)
_RETENTION = ("Delete", "Retain")


def set_daemon_set_defaults(daemon_set: Obj) -> None:
    """Fill in a DaemonSet."""
    spec = daemon_set.setdefault("spec", {})
    strategy = spec.setdefault("updateStrategy", {})
    default_text(strategy, "type", ROLLING_UPDATE)
    if strategy["type"] == ROLLING_UPDATE:
        rolling = strategy.setdefault("rollingUpdate", {})
        default(rolling, "maxUnavailable", 1)
        default(rolling, "maxSurge", 0)
    default(spec, "revisionHistoryLimit", 10)
    set_template_defaults(spec.setdefault("template", {}))


def prepare_create_daemon_set(daemon_set: Obj) -> None:
    """Start with nothing scheduled, at the first generation of the template."""
    _set_template_generation(daemon_set, 1)
    daemon_set["status"] = {
        "currentNumberScheduled": 0,
        "numberMisscheduled": 0,
        "desiredNumberScheduled": 0,
        "numberReady": 0,
    }


def prepare_update_daemon_set(new: Obj, old: Mapping[str, Any]) -> None:
    """Count the template's generation on when it changes; nobody else sets it."""
    text = annotations_of(old).get(TEMPLATE_GENERATION, "")
    generation = int(text) if text.isdigit() else 0
    changed = part(new, "spec").get("template") != part(old, "spec").get("template")
    _set_template_generation(new, generation + changed)


def _set_template_generation(daemon_set: Obj, generation: int) -> None:
    meta = daemon_set.setdefault("metadata", {})
    meta["annotations"] = {**(meta.get("annotations") or {}), TEMPLATE_GENERATION: str(generation)}


def check_daemon_set(daemon_set: Mapping[str, Any]) -> Faults:
    """Yield the faults of a DaemonSet."""
    spec = part(daemon_set, "spec")
    yield from validate_selector_and_template(spec, "daemonset")
    yield from check_not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    strategy, path = part(spec, "updateStrategy"), "spec.updateStrategy"
    if strategy.get("type") == ROLLING_UPDATE:
        yield from _check_rolling(part(strategy, "rollingUpdate"), f"{path}.rollingUpdate")
    elif strategy.get("type") != ON_DELETE:
        yield invalid(path, dict(strategy), "must be 'RollingUpdate' or 'OnDelete'")
    yield from check_not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))


def _check_rolling(rolling: Mapping[str, Any], path: str) -> Faults:
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    yield from check_number_or_percent(f"{path}.maxUnavailable", unavailable)
    yield from check_number_or_percent(f"{path}.maxSurge", surge)
    for field, value in (("maxUnavailable", unavailable), ("maxSurge", surge)):
        if (percent_of(value) or 0) > 100:
            yield invalid(f"{path}.{field}", value, "must not be greater than 100%")
    if _is_zero(unavailable) and _is_zero(surge):
        yield required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0")
    elif not _is_zero(unavailable) and not _is_zero(surge):
        yield invalid(f"{path}.maxSurge", surge, "may not be set when maxUnavailable is non-zero")


def _is_zero(value: int | str) -> bool:
    if isinstance(value, str):
        return not percent_faults(value) and int(value[:-1]) == 0
    return value == 0


def check_daemon_set_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the fault of changing which pods are its own."""
    yield from check_immutable("spec.selector", part(new, "spec").get("selector"), part(old, "spec").get("selector"))


def set_stateful_set_defaults(stateful_set: Obj) -> None:
    """Fill in a StatefulSet and the claims that it makes."""
    spec = stateful_set.setdefault("spec", {})
    default_text(spec, "podManagementPolicy", "OrderedReady")
    strategy = spec.setdefault("updateStrategy", {})
    default_text(strategy, "type", ROLLING_UPDATE)
    if strategy["type"] == ROLLING_UPDATE:
        default(strategy.setdefault("rollingUpdate", {}), "partition", 0)
    retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    default_text(retention, "whenDeleted", "Retain")
    default_text(retention, "whenScaled", "Retain")
    default(spec, "replicas", 1)
    default(spec, "revisionHistoryLimit", 10)
    set_template_defaults(spec.setdefault("template", {}))
    for claim in spec.get("volumeClaimTemplates") or ():
        default_text(claim, "apiVersion", "v1")
        default_text(claim, "kind", "PersistentVolumeClaim")
        set_claim_defaults(claim)
        default_text(claim.setdefault("status", {}), "phase", "Pending")


def check_stateful_set(stateful_set: Mapping[str, Any]) -> Faults:
    """Yield the faults of a StatefulSet."""
    spec = part(stateful_set, "spec")
    policy = spec.get("podManagementPolicy")
    if policy not in ("OrderedReady", "Parallel"):
        yield invalid("spec.podManagementPolicy", policy or "", "must be 'OrderedReady' or 'Parallel'")
    yield from _check_stateful_strategy(part(spec, "updateStrategy"))
    for field in ("whenDeleted", "whenScaled"):
        value = part(spec, "persistentVolumeClaimRetentionPolicy").get(field)
        if value not in _RETENTION:
            path = f"spec.persistentVolumeClaimRetentionPolicy.{field}"
            yield unsupported(path, value or "", _RETENTION)
    yield from check_not_negative("spec.replicas", spec.get("replicas"))
    yield from check_not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    yield from check_not_negative("spec.ordinals.start", part(spec, "ordinals").get("start"))
    yield from check_not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))
    yield from validate_selector_and_template(spec, "statefulset")


def _check_stateful_strategy(strategy: Mapping[str, Any]) -> Faults:
    path, rolling = "spec.updateStrategy", strategy.get("rollingUpdate")
    if strategy.get("type") == ROLLING_UPDATE:
        yield from check_not_negative(
            f"{path}.rollingUpdate.partition", part(strategy, "rollingUpdate").get("partition")
        )
        unavailable = part(strategy, "rollingUpdate").get("maxUnavailable")
        if unavailable is not None:
            yield from check_number_or_percent(f"{path}.rollingUpdate.maxUnavailable", unavailable)
            if _is_zero(unavailable):
                yield invalid(f"{path}.rollingUpdate.maxUnavailable", unavailable, "cannot be 0")
    elif strategy.get("type") == ON_DELETE:
        if rolling is not None:
            detail = f"only allowed for updateStrategy '{ROLLING_UPDATE}'"
            yield invalid(f"{path}.rollingUpdate", dict(rolling), detail)
    else:
        yield invalid(path, dict(strategy), f"must be '{ROLLING_UPDATE}' or '{ON_DELETE}'")


def check_stateful_set_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the fault of changing more than replicas, template and how they are rolled out."""
    if _frozen_of_stateful_set(new) != _frozen_of_stateful_set(old):
        yield forbidden("spec", _FROZEN_STATEFUL_SET)


def _frozen_of_stateful_set(stateful_set: Mapping[str, Any]) -> Obj:
    frozen = copy_object(part(stateful_set, "spec"))
    for field in _FREE_OF_STATEFUL_SET:
        frozen.pop(field, None)
    return {field: value for field, value in frozen.items() if value not in ("", [], {}, None)}


def check_revision(revision: Mapping[str, Any]) -> Faults:
    """Yield the faults of a ControllerRevision."""
    if revision.get("data") is None:
        yield required("data", "data is mandatory")
    yield from check_not_negative("revision", revision.get("revision"))


def check_revision_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the fault of rewriting history."""
    yield from check_immutable("data", new.get("data"), old.get("data"))


def set_revision_defaults(revision: Obj) -> None:
    """Count revisions from 0, which is written out."""
    default(revision, "revision", 0)


DAEMON_SET_RULES = make_rules(
    check_daemon_set,
    check_daemon_set_update,
    set_defaults=set_daemon_set_defaults,
    prepare_create=prepare_create_daemon_set,
    prepare_update=prepare_update_daemon_set,
)
STATEFUL_SET_RULES = make_rules(
    check_stateful_set,
    check_stateful_set_update,
    set_defaults=set_stateful_set_defaults,
    prepare_create=start_with({"replicas": 0, "availableReplicas": 0}),
)
REVISION_RULES = make_rules(check_revision, check_revision_update, set_defaults=set_revision_defaults)
