"""Deployments and ReplicaSets: what they get, and when they are right.

Upstream: pkg/apis/apps/v1 defaults.go, pkg/apis/apps/validation, registry/apps/*/strategy.go.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.errors import FieldError
from minikube_py.api.meta import Obj
from minikube_py.api.object_selectors import compile_label_selector, selects
from minikube_py.api.resource import Rules
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
from minikube_py.api.rules.label_selectors import validate_label_selector
from minikube_py.api.rules.metadata import validate_metadata, validate_metadata_update
from minikube_py.api.rules.pod_defaults import set_template_defaults
from minikube_py.api.rules.pod_spec import validate_pod_template

ROLLING_UPDATE = "RollingUpdate"
RECREATE = "Recreate"
_MISMATCH = "`selector` does not match template `labels`"


def set_replica_set_defaults(replica_set: Obj) -> None:
    """Fill in a ReplicaSet."""
    spec = replica_set.setdefault("spec", {})
    _default(spec, "replicas", 1)
    set_template_defaults(spec.setdefault("template", {}))


def set_deployment_defaults(deployment: Obj) -> None:
    """Fill in a Deployment."""
    spec = deployment.setdefault("spec", {})
    _default(spec, "replicas", 1)
    strategy = spec.setdefault("strategy", {})
    if not strategy.get("type"):
        strategy["type"] = ROLLING_UPDATE
    if strategy["type"] == ROLLING_UPDATE:
        rolling = strategy.setdefault("rollingUpdate", {})
        _default(rolling, "maxUnavailable", "25%")
        _default(rolling, "maxSurge", "25%")
    _default(spec, "revisionHistoryLimit", 10)
    _default(spec, "progressDeadlineSeconds", 600)
    set_template_defaults(spec.setdefault("template", {}))


def _default(obj: Obj, field: str, value: object) -> None:
    """Set a field that is absent; a zero that was given stays."""
    if obj.get(field) is None:
        obj[field] = value


def prepare_create_replica_set(replica_set: Obj) -> None:
    """Start with no replicas counted."""
    replica_set["status"] = {"replicas": 0}


def prepare_create_deployment(deployment: Obj) -> None:
    """Start with an empty status."""
    deployment["status"] = {}


def _keep(new: Obj, old: Mapping[str, Any]) -> None:
    """Change nothing: the verbs carry the status over."""


def validate_replica_set(replica_set: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of a ReplicaSet."""
    return (*validate_metadata(replica_set), *_validate_replica_set_spec(part(replica_set, "spec")))


def validate_replica_set_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of a changed ReplicaSet; its selector stays."""
    return (
        *validate_metadata_update(new, old),
        *_validate_replica_set_spec(part(new, "spec")),
        *check_immutable("spec.selector", part(new, "spec").get("selector"), part(old, "spec").get("selector")),
    )


def validate_deployment(deployment: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of a Deployment."""
    return (*validate_metadata(deployment), *_validate_deployment_spec(part(deployment, "spec")))


def validate_deployment_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of a changed Deployment; its selector stays."""
    return (
        *validate_metadata_update(new, old),
        *_validate_deployment_spec(part(new, "spec")),
        *check_immutable("spec.selector", part(new, "spec").get("selector"), part(old, "spec").get("selector")),
    )


def _validate_replica_set_spec(spec: Mapping[str, Any]) -> Faults:
    yield from check_not_negative("spec.replicas", spec.get("replicas"))
    yield from check_not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    yield from validate_selector_and_template(spec, "replicaset")


def _validate_deployment_spec(spec: Mapping[str, Any]) -> Faults:
    yield from check_not_negative("spec.replicas", spec.get("replicas"))
    yield from validate_selector_and_template(spec, "deployment")
    yield from _validate_strategy(part(spec, "strategy"), "spec.strategy")
    yield from check_not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    yield from check_not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))
    deadline = spec.get("progressDeadlineSeconds")
    yield from check_not_negative("spec.progressDeadlineSeconds", deadline)
    if deadline is not None and deadline <= (spec.get("minReadySeconds") or 0):
        yield invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def validate_selector_and_template(spec: Mapping[str, Any], kind: str) -> Faults:
    """Yield the faults of a workload's selector and of the template whose pods it must select."""
    selector = spec.get("selector")
    faults = tuple(validate_label_selector(selector, "spec.selector")) if selector is not None else ()
    if selector is None:
        yield required("spec.selector")
    else:
        yield from faults
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            yield invalid("spec.selector", selector, f"empty selector is invalid for {kind}")
    if any(fault.field.endswith((".operator", ".values")) for fault in faults):
        yield invalid("spec.selector", selector, "invalid label selector")
        return
    template = part(spec, "template")
    labels = part(part(template, "metadata"), "labels")
    if not selects(compile_label_selector(selector), labels):
        yield invalid("spec.template.metadata.labels", dict(labels), _MISMATCH)
    yield from validate_pod_template(template, "spec.template")
    pod = part(template, "spec")
    if pod.get("restartPolicy") != "Always":
        yield unsupported("spec.template.spec.restartPolicy", pod.get("restartPolicy") or "", ("Always",))
    if pod.get("activeDeadlineSeconds") is not None:
        yield forbidden(
            "spec.template.spec.activeDeadlineSeconds", "activeDeadlineSeconds in ReplicaSet is not Supported"
        )


def _validate_strategy(strategy: Mapping[str, Any], path: str) -> Faults:
    rolling = strategy.get("rollingUpdate")
    if strategy.get("type") == RECREATE:
        if rolling is not None:
            detail = f"may not be specified when strategy `type` is '{RECREATE}'"
            yield forbidden(f"{path}.rollingUpdate", detail)
    elif strategy.get("type") == ROLLING_UPDATE:
        yield from _validate_rolling_update(rolling or {}, f"{path}.rollingUpdate")
    else:
        yield unsupported(path, dict(strategy), (RECREATE, ROLLING_UPDATE))


def _validate_rolling_update(rolling: Mapping[str, Any], path: str) -> Faults:
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    yield from check_number_or_percent(f"{path}.maxUnavailable", unavailable)
    yield from check_number_or_percent(f"{path}.maxSurge", surge)
    if unavailable in (0, "0%") and surge in (0, "0%"):
        yield invalid(f"{path}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0")
    if (percent_of(unavailable) or 0) > 100:
        yield invalid(f"{path}.maxUnavailable", unavailable, "must not be greater than 100%")


REPLICA_SET_RULES = Rules(
    set_replica_set_defaults,
    prepare_create_replica_set,
    _keep,
    validate_replica_set,
    validate_replica_set_update,
)
DEPLOYMENT_RULES = Rules(
    set_deployment_defaults,
    prepare_create_deployment,
    _keep,
    validate_deployment,
    validate_deployment_update,
)
