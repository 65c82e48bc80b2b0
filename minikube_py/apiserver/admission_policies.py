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
from minikube_py.api.cel.values import Budget, CelError, Constructed, Timestamp, type_name
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
MESSAGE_BYTES_MAX = 5 * 1024
_CODES: Mapping[str, int] = {"Forbidden": 403, "Unauthorized": 401, "RequestEntityTooLarge": 413, "Invalid": 422}


class PolicyError(Exception):
    """An expression has no answer; the failure policy decides what that means."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A validation that does not hold."""

    message: str
    reason: str = ""


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
            return compile_expression(source, VARIABLES).evaluate(self.variables, self.budget)
        except CelSyntaxError as error:
            raise PolicyError(f"compilation error: {error}") from error
        except CelError as error:
            raise PolicyError(str(error)) from error


def conditions_hold(conditions: Sequence[Mapping[str, Any]], scope: Scope) -> bool:
    """Return whether all match conditions hold; one that does not decides, whatever others fail.

    Raises:
        PolicyError: none says no, and one has no answer.
    """
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
    for validation in spec.get("validations") or ():
        source = str(validation["expression"]).strip()
        try:
            answer = scope.evaluate(source)
        except PolicyError as error:
            if not ignores:
                failed.append(Failed(f"expression '{source}' resulted in error: {error}"))
            continue
        if answer is not True:
            failed.append(Failed(_message(validation, source, scope), str(validation.get("reason") or "")))
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
