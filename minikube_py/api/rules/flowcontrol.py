"""FlowSchemas and PriorityLevelConfigurations: which requests go first when there are too many.

Upstream: pkg/apis/flowcontrol/v1 defaults.go, pkg/apis/flowcontrol/validation.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj
from minikube_py.api.rules.faults import (
    NOT_NEGATIVE,
    Faults,
    forbidden,
    indexed,
    invalid,
    items,
    part,
    required,
    unsupported,
)
from minikube_py.api.rules.rule_sets import default, default_text, make_rules, start_with

PRECEDENCE_MAX = 10000
QUEUES_MAX = 10_000_000
_SUBJECTS: Mapping[str, str] = {"Group": "group", "ServiceAccount": "serviceAccount", "User": "user"}
_RULES = ("resourceRules", "nonResourceRules")


def set_schema_defaults(schema: Obj) -> None:
    """Fill in a FlowSchema."""
    spec = schema.setdefault("spec", {})
    if not spec.get("matchingPrecedence"):
        spec["matchingPrecedence"] = 1000


def check_schema(schema: Mapping[str, Any]) -> Faults:
    """Yield the faults of a FlowSchema."""
    spec = part(schema, "spec")
    precedence = spec.get("matchingPrecedence") or 0
    if precedence <= 0:
        yield invalid("spec.matchingPrecedence", precedence, "must be a positive value")
    if precedence > PRECEDENCE_MAX:
        yield invalid("spec.matchingPrecedence", precedence, f"must not be greater than {PRECEDENCE_MAX}")
    method = part(spec, "distinguisherMethod").get("type")
    if spec.get("distinguisherMethod") is not None and method not in ("ByNamespace", "ByUser"):
        yield unsupported("spec.distinguisherMethod", method or "", ("ByNamespace", "ByUser"))
    if not part(spec, "priorityLevelConfiguration").get("name"):
        yield required("spec.priorityLevelConfiguration.name", "must reference a priority level")
    for path, rule in indexed(spec, "rules", "spec"):
        yield from _check_rule(rule, path)


def _check_rule(rule: Mapping[str, Any], path: str) -> Faults:
    if not items(rule, "subjects"):
        yield required(f"{path}.subjects", "subjects must contain at least one value")
    for here, subject in indexed(rule, "subjects", path):
        yield from _check_subject(subject, here)
    if not any(items(rule, field) for field in _RULES):
        yield required(path, "at least one of resourceRules and nonResourceRules has to be non-empty")
    for here, inner in indexed(rule, "resourceRules", path):
        yield from _need_values(inner, here, ("verbs", "apiGroups", "resources"))
        if not items(inner, "namespaces") and not inner.get("clusterScope"):
            detail = "resource rules that are not cluster scoped must supply at least one namespace"
            yield required(f"{here}.namespaces", detail)
    for here, inner in indexed(rule, "nonResourceRules", path):
        yield from _need_values(inner, here, ("verbs", "nonResourceURLs"))


def _need_values(rule: Mapping[str, Any], path: str, fields: tuple[str, ...]) -> Faults:
    for field in fields:
        if not items(rule, field):
            yield required(f"{path}.{field}", f"{field} must contain at least one value")


def _check_subject(subject: Mapping[str, Any], path: str) -> Faults:
    kind = subject.get("kind") or ""
    if kind not in _SUBJECTS:
        yield unsupported(f"{path}.kind", kind, _SUBJECTS)
    elif subject.get(_SUBJECTS[kind]) is None:
        field = _SUBJECTS[kind]
        yield required(f"{path}.{field}", f"{field} is required when subject kind is '{kind}'")
    for other, field in _SUBJECTS.items():
        if other != kind and subject.get(field) is not None:
            yield forbidden(f"{path}.{field}", f"{field} is forbidden when subject kind is not '{other}'")


def set_level_defaults(level: Obj) -> None:
    """Fill in a PriorityLevelConfiguration."""
    spec = level.setdefault("spec", {})
    if spec.get("limited") is not None:
        limited = spec["limited"]
        default(limited, "nominalConcurrencyShares", 30)
        default(limited, "lendablePercent", 0)
        queuing = part(limited, "limitResponse").get("queuing")
        if queuing is not None:
            for field, value in (("handSize", 8), ("queues", 64), ("queueLengthLimit", 50)):
                if not queuing.get(field):
                    queuing[field] = value
    if spec.get("exempt") is not None:
        default(spec["exempt"], "nominalConcurrencyShares", 0)
        default(spec["exempt"], "lendablePercent", 0)
    elif spec.get("type") == "Exempt":
        spec["exempt"] = {"nominalConcurrencyShares": 0, "lendablePercent": 0}
    default_text(spec, "type", "")


def check_level(level: Mapping[str, Any]) -> Faults:
    """Yield the faults of a PriorityLevelConfiguration."""
    spec = part(level, "spec")
    kind = spec.get("type") or ""
    if kind not in ("Exempt", "Limited"):
        yield unsupported("spec.type", kind, ("Exempt", "Limited"))
        return
    needed, other = ("limited", "exempt") if kind == "Limited" else ("exempt", "limited")
    if spec.get(other) is not None:
        yield forbidden(f"spec.{other}", f"must be nil if the type is {kind}")
    if kind == "Limited" and spec.get("limited") is None:
        yield required("spec.limited", "must not be empty when type is Limited")
        return
    inner, path = part(spec, needed), f"spec.{needed}"
    shares, percent = inner.get("nominalConcurrencyShares"), inner.get("lendablePercent")
    if shares is not None and shares < 0:
        yield invalid(f"{path}.nominalConcurrencyShares", shares, NOT_NEGATIVE)
    if percent is not None and not 0 <= percent <= 100:
        yield invalid(f"{path}.lendablePercent", percent, "must be between 0 and 100, inclusive")
    if kind == "Limited":
        yield from _check_response(part(inner, "limitResponse"), f"{path}.limitResponse")


def _check_response(response: Mapping[str, Any], path: str) -> Faults:
    kind, queuing = response.get("type") or "", response.get("queuing")
    if kind not in ("Queue", "Reject"):
        yield unsupported(f"{path}.type", kind, ("Queue", "Reject"))
    elif kind == "Reject" and queuing is not None:
        yield forbidden(f"{path}.queuing", "must be nil if limited.limitResponse.type is not Limited")
    elif kind == "Queue" and queuing is None:
        yield required(f"{path}.queuing", "must not be empty if limited.limitResponse.type is Limited")
    if queuing is None:
        return
    for field in ("queueLengthLimit", "queues", "handSize"):
        if (queuing.get(field) or 0) <= 0:
            yield invalid(f"{path}.queuing.{field}", queuing.get(field) or 0, "must be positive")
    queues, hand = queuing.get("queues") or 0, queuing.get("handSize") or 0
    if queues > QUEUES_MAX:
        yield invalid(f"{path}.queuing.queues", queues, f"must not be greater than {QUEUES_MAX}")
    if hand > queues:
        yield invalid(f"{path}.queuing.handSize", hand, f"should not be greater than queues ({queues})")


SCHEMA_RULES = make_rules(check_schema, set_defaults=set_schema_defaults, prepare_create=start_with({}))
LEVEL_RULES = make_rules(check_level, set_defaults=set_level_defaults, prepare_create=start_with({}))
