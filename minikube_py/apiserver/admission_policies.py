"""ValidatingAdmissionPolicy and MutatingAdmissionPolicy: what their expressions say of one request.

A policy without a binding does nothing. For each binding and each object of its parameters the match conditions are
asked, then every validation; what becomes of a failed one is the binding's business (Deny, Warn, Audit).

Upstream: apiserver admission/plugin/policy/{validating,mutating}.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from minikube_py.api.cel.expressions import compile_expression
from minikube_py.api.cel.syntax import CelSyntaxError
from minikube_py.api.cel.values import Budget, CelError, Constructed, CostLimitError, Timestamp, type_name
from minikube_py.api.errors import StatusError, forbidden
from minikube_py.api.meta import Obj, name_of
from minikube_py.api.patch import apply_json_patch
from minikube_py.api.resource import Resource
from minikube_py.api.typed_merge import merge
from minikube_py.api.typed_walk import WalkError
from minikube_py.apiserver.admission import Attributes
from minikube_py.apiserver.admission_review import DeniedError
from minikube_py.apiserver.admission_values import VARIABLES, LazyVariables, object_value

POLICY_COST_MAX = 10_000_000
"""All expressions of one policy, for one request and one object of parameters (upstream: RuntimeCELCostBudget)."""
CONDITIONS_COST_MAX = 2_500_000
"""All match conditions of one policy or webhook (upstream: RuntimeCELCostBudgetMatchConditions)."""
MESSAGE_BYTES_MAX = 5 * 1024
ANNOTATION_CHARACTERS_MAX = 10 * 1024
"""Longer values of audit annotations are cut."""
FAILURE_ANNOTATION = "validation.policy.admission.k8s.io/validation_failure"
_NO_BUDGET = "validation failed due to running out of cost budget, no further validation rules will be run"
_CODES: Mapping[str, int] = {"Forbidden": 403, "Unauthorized": 401, "RequestEntityTooLarge": 413, "Invalid": 422}


class PolicyError(Exception):
    """An expression has no answer; the failure policy decides what that means."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A validation that does not hold."""

    message: str
    reason: str = ""
    index: int = 0
    """Which of the policy's validations it is."""


class Scope:
    """The variables of one evaluation of one policy."""

    def __init__(self, spec: Mapping[str, Any], variables: Mapping[str, Any]) -> None:
        self.budget = Budget(POLICY_COST_MAX)
        given = dict.fromkeys(VARIABLES) | dict(variables)
        lazy = LazyVariables(spec.get("variables") or [], given, self.budget)
        self.variables: Mapping[str, Any] = {**given, "variables": lazy}

    def evaluate(self, source: str) -> Any:
        """Return the value of an expression.

        Raises:
            PolicyError: it has none.
        """
        try:
            return compile_expression(source, VARIABLES).evaluate_within(self.variables, self.budget)
        except CelSyntaxError as error:
            raise PolicyError(f"compilation error: {error}") from error
        except CostLimitError as error:
            raise PolicyError(_NO_BUDGET if self.budget.left <= 0 else str(error)) from error
        except CelError as error:
            raise PolicyError(str(error)) from error


def conditions_hold(conditions: Sequence[Mapping[str, Any]], scope: Scope) -> bool:
    """Return whether all match conditions hold; one that does not decides, whatever others fail.

    Raises:
        PolicyError: none says no, and one has no answer.
    """
    before, scope.budget.left = scope.budget.left, CONDITIONS_COST_MAX
    try:
        return _all_hold(conditions, scope)
    finally:
        scope.budget.left = before


def _all_hold(conditions: Sequence[Mapping[str, Any]], scope: Scope) -> bool:
    failure: PolicyError | None = None
    for condition in conditions:
        try:
            if scope.evaluate(str(condition["expression"])) is not True:
                return False
        except PolicyError as error:
            failure = failure or PolicyError(f"expression '{condition['expression']}' resulted in error: {error}")
    if failure is not None:
        raise failure
    return True


def run_validations(spec: Mapping[str, Any], scope: Scope) -> tuple[Failed, ...]:
    """Return what of a policy does not hold; an expression without an answer counts by the failure policy."""
    failed: list[Failed] = []
    ignores = spec.get("failurePolicy") == "Ignore"
    for index, validation in enumerate(spec.get("validations") or ()):
        source = str(validation["expression"]).strip()
        try:
            answer = scope.evaluate(source)
        except PolicyError as error:
            if not ignores:
                failed.append(Failed(f"expression '{source}' resulted in error: {error}", index=index))
            continue
        if answer is not True:
            reason = str(validation.get("reason") or "")
            failed.append(Failed(_message(validation, source, scope), reason, index))
    return tuple(failed)


def _message(validation: Mapping[str, Any], source: str, scope: Scope) -> str:
    expression = validation.get("messageExpression")
    if expression:
        try:
            said = scope.evaluate(str(expression))
        except PolicyError:
            said = None
        if isinstance(said, str) and said.strip() and len(said.encode()) <= MESSAGE_BYTES_MAX and "\n" not in said:
            return said.strip()
    return str(validation.get("message") or "").strip() or f"failed expression: {source}"


def denial(
    policy: Mapping[str, Any], binding: Mapping[str, Any], failed: Failed, attributes: Attributes
) -> StatusError:
    """Return upstream's refusal of a request by a policy."""
    text = (
        f"ValidatingAdmissionPolicy '{name_of(policy)}' with binding '{name_of(binding)}' "
        f"denied request: {failed.message}"
    )
    resource = attributes.resource
    refused = forbidden(resource.group, resource.plural, attributes.name, text)
    reason = failed.reason or "Invalid"
    details = {**refused.details, "causes": [{"message": text}]}
    return DeniedError(refused.message, _CODES.get(reason, 422), reason, details)


def failure_record(policy: Mapping[str, Any], binding: Mapping[str, Any], failed: Failed) -> Obj:
    """Return what the audit log says of a failed validation of a binding that audits."""
    return {
        "message": failed.message,
        "policy": name_of(policy),
        "binding": name_of(binding),
        "expressionIndex": failed.index,
        "validationActions": list(binding["spec"].get("validationActions") or ()),
    }


def audit_annotations(
    policy: Mapping[str, Any], scope: Scope
) -> tuple[tuple[tuple[str, str], ...], tuple[Failed, ...]]:
    """Return the annotations that a policy gives a request, and those that have no value and refuse it."""
    spec = policy["spec"]
    found: list[tuple[str, str]] = []
    failed: list[Failed] = []
    for annotation in spec.get("auditAnnotations") or ():
        source = str(annotation["valueExpression"]).strip()
        try:
            value = scope.evaluate(source)
        except PolicyError as error:
            if spec.get("failurePolicy") != "Ignore":
                failed.append(Failed(f"expression '{source}' resulted in error: {error}"))
            continue
        if isinstance(value, str) and value.strip():
            key = f"{name_of(policy)}/{annotation['key']}"
            found.append((key, value.strip()[:ANNOTATION_CHARACTERS_MAX]))
    return tuple(found), tuple(failed)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a policy says of one request."""

    failed: tuple[Failed, ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    """For the audit log, whatever the binding's actions."""
    refused: tuple[Failed, ...] = ()
    """What refuses the request whatever the binding's actions."""


def judge(policy: Mapping[str, Any], scope: Scope) -> Judged:
    """Return what a policy says, if its conditions hold."""
    spec = policy["spec"]
    try:
        if not conditions_hold(spec.get("matchConditions") or (), scope):
            return Judged()
    except PolicyError as error:
        return Judged() if spec.get("failurePolicy") == "Ignore" else Judged((Failed(str(error)),))
    failed = run_validations(spec, scope)
    annotations, refused = audit_annotations(policy, scope)
    return Judged(failed, annotations, refused)


def warning(policy: Mapping[str, Any], binding: Mapping[str, Any], failed: Failed) -> str:
    """Return what a client is warned of when a binding only warns."""
    names = f"ValidatingAdmissionPolicy '{name_of(policy)}' with binding '{name_of(binding)}'"
    return f"Validation failed for {names}: {failed.message}"


def apply_mutations(spec: Mapping[str, Any], scope: Scope, obj: Obj, resource: Resource) -> Obj:
    """Return an object after all mutations of a policy; each sees what those before it have made.

    Raises:
        PolicyError: one has no answer, or an answer that cannot be applied.
    """
    for mutation in spec.get("mutations") or ():
        try:
            obj = _apply_mutation(mutation, scope, obj, resource)
        except (StatusError, WalkError) as error:
            raise PolicyError(str(error)) from error
        scope.variables = {**scope.variables, "object": object_value(obj, resource)}
    return obj


def _apply_mutation(mutation: Mapping[str, Any], scope: Scope, obj: Obj, resource: Resource) -> Obj:
    if mutation.get("patchType") == "ApplyConfiguration":
        source = str(mutation["applyConfiguration"]["expression"])
        config = plain(scope.evaluate(source))
        if not isinstance(config, dict):
            raise PolicyError(f"expression '{source}' does not evaluate to an Object")
        applied: Obj = merge(obj, config, resource.schema)
        return applied
    source = str(mutation["jsonPatch"]["expression"])
    operations = plain(scope.evaluate(source))
    if not isinstance(operations, list):
        raise PolicyError(f"expression '{source}' does not evaluate to a list of JSONPatch")
    return apply_json_patch(obj, operations)


def plain(value: Any) -> Any:
    """Return a value of an expression as JSON.

    Raises:
        PolicyError: it has no form in JSON.
    """
    if isinstance(value, Constructed):
        return {key: plain(inner) for key, inner in value.fields.items()}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Timestamp):
        return str(value)
    if value is None or isinstance(value, str | bool | float):
        return value
    if isinstance(value, int):
        return int(value)
    raise PolicyError(f"a {type_name(value)} has no form in JSON")
