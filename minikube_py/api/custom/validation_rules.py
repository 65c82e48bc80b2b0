"""x-kubernetes-validations: rules in CEL, checked when a definition is written, run when an object is.

A rule sees `self`, the value that its schema describes, and `oldSelf`, the stored one that it continues. A rule that
uses oldSelf (a transition rule) is run only where there is one, unless it says that it may be missing. What is
unchanged is not run again against rules that look at nothing but it.

Upstream: apiextensions-apiserver apiserver/schema/cel (validation.go, compilation.go).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from minikube_py.api.cel.check import Shape, Simple, infer
from minikube_py.api.cel.estimate import estimate_cost_max
from minikube_py.api.cel.expressions import OBJECT_COST_MAX, Expression, compile_expression, uses
from minikube_py.api.cel.syntax import CelSyntaxError
from minikube_py.api.cel.values import NONE, Budget, CelError, CostLimitError, NoOverloadError, some
from minikube_py.api.custom.correlation import UNKNOWN, old_elements, old_field
from minikube_py.api.custom.nodes import (
    LIST_TYPE,
    VALIDATIONS,
    Node,
    below,
    items_node,
    properties,
    values_node,
)
from minikube_py.api.custom.rule_costs import ONCE, Cardinality, CostLedger, size_at
from minikube_py.api.custom.rule_values import NodeShape, cel_value
from minikube_py.api.custom.validation import NO_FIELD
from minikube_py.api.errors import CauseReason, FieldError
from minikube_py.api.json_values import is_same_json
from minikube_py.api.rules.faults import Faults, invalid, required, unsupported

MESSAGE_BYTES_MAX = 5 * 1024
"""A longer message of an expression is not shown (upstream: MaxEvaluatedMessageExpressionSizeBytes)."""
_VARIABLES = ("oldSelf", "self")
_REASONS = ("FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate")
_NO_BUDGET = "validation failed due to running out of cost budget, no further validation rules will be run"
Rule = Mapping[str, Any]


def run_rules(obj: Any, node: Node, old: Any = UNKNOWN) -> Faults:
    """Yield the faults that the rules of a whole object find; `old` is the stored object."""
    budget = Budget(OBJECT_COST_MAX)
    yield from _run(obj, node, "", old, budget, is_resource=True)


def _run(value: Any, node: Node, path: str, old: Any, budget: Budget, *, is_resource: bool = False) -> Faults:
    if value is None or budget.left < 0:
        return
    rules = node.get(VALIDATIONS)
    if rules:
        yield from _run_node(rules, value, node, path, old, budget, is_resource=is_resource)
    if isinstance(value, list):
        items = items_node(node)
        if items is not None:
            old_of = old_elements(old, node)
            for index, item in enumerate(value):
                yield from _run(item, items, f"{path}[{index}]", old_of(item), budget)
    elif isinstance(value, dict):
        named, values = properties(node), values_node(node)
        for key, inner in value.items():
            child = named.get(key, values)
            if child is not None:
                yield from _run(inner, child, below(path, key), old_field(key, old), budget)


def _run_node(
    rules: list[Rule], value: Any, node: Node, path: str, old: Any, budget: Budget, *, is_resource: bool
) -> Faults:
    has_old = old is not UNKNOWN and old is not None
    unchanged = has_old and is_same_json(old, value)
    seen = cel_value(value, node, is_resource=is_resource)
    old_seen = cel_value(old, node, is_resource=is_resource) if has_old else None
    for rule in rules:
        if budget.left < 0:
            return
        try:
            expression = compile_expression(str(rule.get("rule") or ""), _VARIABLES)
        except CelSyntaxError as error:
            yield _fault(path, node, f"rule compile error: {error}")
            continue
        about_change, may_lack = uses(expression.tree, "oldSelf"), bool(rule.get("optionalOldSelf"))
        if (about_change and not has_old and not may_lack) or (unchanged and not about_change):
            continue
        given = (some(old_seen) if has_old else NONE) if may_lack else old_seen
        yield from _run_rule(rule, expression, {"self": seen, "oldSelf": given}, (path, node), budget)


def _run_rule(
    rule: Rule, expression: Expression, variables: Mapping[str, Any], where: tuple[str, Node], budget: Budget
) -> Faults:
    path, node = where
    text = str(rule.get("message") or rule["rule"]).strip()
    try:
        answer = expression.evaluate_within(variables, budget)
    except CostLimitError as error:
        budget.left = -1
        why = f"no further validation rules will be run due to call cost exceeds limit for rule: {text}"
        yield _fault(path, node, f"'{error}': {why}")
        return
    except NoOverloadError as error:
        why = "call arguments did not match a supported operator, function or macro signature for rule"
        yield _fault(path, node, f"'{error}': {why}: {text}")
        return
    except CelError as error:
        yield _fault(path, node, f"{error} evaluating rule: {text}")
        return
    if budget.left < 0:
        yield _fault(path, node, _NO_BUDGET)
    elif answer is not True:
        detail = _message(rule, variables, budget)
        field = (
            path + str(rule.get("fieldPath") or "") if path else str(rule.get("fieldPath") or "").removeprefix(".")
        )
        yield _fault(field, node, detail, str(rule.get("reason") or "FieldValueInvalid"))


def _fault(path: str, node: Node, detail: str, reason: str = "FieldValueInvalid") -> FieldError:
    checked: CauseReason = reason if reason in _REASONS else "FieldValueInvalid"  # type: ignore[assignment]
    return FieldError(checked, path or NO_FIELD, detail, str(node.get("type") or ""))


def _message(rule: Rule, variables: Mapping[str, Any], budget: Budget) -> str:
    """Return what to say about a rule that failed: its expression's text, else its message, else the rule."""
    source = str(rule.get("messageExpression") or "")
    if source:
        try:
            said = compile_expression(source, _VARIABLES).evaluate_within(variables, budget)
        except (CelError, CelSyntaxError):
            said = None
        if (
            isinstance(said, str)
            and said.strip()
            and len(said.encode()) <= MESSAGE_BYTES_MAX
            and "\n" not in said.strip()
        ):
            return said.strip()
    message = str(rule.get("message") or "").strip()
    return message or f"failed rule: {str(rule['rule']).strip()}"


def check_rules(node: Node, path: str, *, costs: bool = True) -> Faults:
    """Yield the faults of the rules in a definition's schema; `costs`: that they could cost too much is one."""
    ledger = CostLedger() if costs else None
    yield from _check(node, path, _Place(is_resource=True), ledger)
    if ledger is not None:
        yield from ledger.close(path)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in a definition's schema a schema stands."""

    is_resource: bool = False
    correlates: bool = True
    """Its values have old values that they continue."""
    cardinality: Cardinality = ONCE


def _check(node: Node, path: str, place: _Place, ledger: CostLedger | None) -> Faults:
    shape = NodeShape(node, is_resource=place.is_resource)
    for index, rule in enumerate(node.get(VALIDATIONS) or ()):
        yield from _check_rule(rule, f"{path}.{VALIDATIONS}[{index}]", shape, place, ledger)
    inner = _Place(correlates=place.correlates, cardinality=place.cardinality.below(node))
    for key, child in properties(node).items():
        yield from _check(child, f"{path}.properties[{key}]", inner, ledger)
    values, items = values_node(node), items_node(node)
    if values is not None:
        yield from _check(values, f"{path}.additionalProperties", inner, ledger)
    if items is not None:
        keyed = node.get(LIST_TYPE) == "map"
        yield from _check(items, f"{path}.items", replace(inner, correlates=place.correlates and keyed), ledger)


def _check_rule(rule: Rule, path: str, shape: NodeShape, place: _Place, ledger: CostLedger | None) -> Faults:
    source = str(rule.get("rule") or "")
    if not source.strip():
        yield required(f"{path}.rule", "rule is not specified")
        return
    old: Shape = Simple("optional_type", shape) if rule.get("optionalOldSelf") else shape
    scope: Mapping[str, Shape] = {"self": shape, "oldSelf": old}
    expression = yield from _check_expression(source, f"{path}.rule", scope, "bool", "compilation failed: ")
    if expression is not None and ledger is not None:
        cost = estimate_cost_max(expression.tree, scope, partial(size_at, shape), source)
        yield from ledger.spend("rule", place.cardinality.total(cost, shape.node), f"{path}.rule")
    if expression is not None and uses(expression.tree, "oldSelf"):
        if not place.correlates:
            detail = "oldSelf cannot be used on the uncorrelatable portion of the schema within"
            yield invalid(f"{path}.rule", source, f"{detail} {path}")
    elif rule.get("optionalOldSelf") is not None:
        detail = "may not be set if oldSelf is not used in rule"
        yield invalid(f"{path}.optionalOldSelf", rule["optionalOldSelf"], detail)
    if rule.get("messageExpression"):
        yield from _check_message(str(rule["messageExpression"]), f"{path}.messageExpression", scope, shape, ledger)
    yield from _check_words(rule, path, shape)


def _check_message(
    source: str, path: str, scope: Mapping[str, Shape], shape: NodeShape, ledger: CostLedger | None
) -> Faults:
    before = "messageExpression compilation failed: "
    expression = yield from _check_expression(source, path, scope, "string", before)
    if expression is not None and ledger is not None:
        cost = estimate_cost_max(expression.tree, scope, partial(size_at, shape), source)
        yield from ledger.spend("messageExpression", cost, path)


def _check_words(rule: Rule, path: str, shape: NodeShape) -> Faults:
    message, reason, field = (rule.get(key) for key in ("message", "reason", "fieldPath"))
    if message is not None and not str(message).strip():
        yield invalid(f"{path}.message", message, "message must be non-empty if specified")
    elif message and "\n" in str(message).strip():
        yield invalid(f"{path}.message", message, "message must not contain line breaks")
    elif not message and "\n" in str(rule["rule"]).strip():
        yield required(f"{path}.message", "message must be specified if rule contains line breaks")
    if reason is not None and reason not in _REASONS:
        yield unsupported(f"{path}.reason", reason, _REASONS)
    if field and not _leads_somewhere(str(field), shape):
        yield invalid(f"{path}.fieldPath", field, "fieldPath must be a valid path: does not refer to a valid field")


def _leads_somewhere(field: str, shape: Shape) -> bool:
    found: Shape | None = shape
    for name in field.removeprefix(".").split("."):
        found = found.field(name.partition("[")[0]) if found is not None else None
    return found is not None and field.startswith(".")


def _check_expression(source: str, path: str, scope: Mapping[str, Shape], kind: str, before: str) -> Any:
    """Yield the faults of an expression that must be of a type; returns it, or None."""
    try:
        expression = compile_expression(source, _VARIABLES)
        found = infer(expression.tree, scope, source).kind
    except CelSyntaxError as error:
        yield invalid(path, source, f"{before}{error}")
        return None
    if found not in (kind, "dyn"):
        yield invalid(path, source, f"{before}must evaluate to a {kind}")
        return None
    return expression
