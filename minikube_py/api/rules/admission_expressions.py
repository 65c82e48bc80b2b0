"""The expressions of admission: do they compile, and can their values be what they must be?

What an object looks like is not known here, since a policy may match many kinds; so names, functions and the types
of results are checked, and fields of objects are not (upstream warns of those in the policy's status).

Upstream: pkg/apis/admissionregistration/validation (validateCELCondition and its kin).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from minikube_py.api.cel.check import DYN, Shape, infer
from minikube_py.api.cel.expressions import compile_expression
from minikube_py.api.cel.syntax import CelSyntaxError
from minikube_py.api.rules.faults import Faults, indexed, invalid

CONDITION_VARIABLES = ("authorizer", "object", "oldObject", "request")
"""What matchConditions of webhooks may name."""


@dataclass(frozen=True, slots=True)
class _Declared:
    """The shape of `variables`: those that are declared before the expression (api.cel.check.Shape)."""

    names: frozenset[str]

    @property
    def kind(self) -> str:
        """Return that it has named fields."""
        return "object"

    def field(self, name: str) -> Shape | None:
        """Return a variable's type, which is not known."""
        return DYN if name in self.names else None

    def item(self) -> Shape:
        """Return nothing that is known."""
        return DYN


@dataclass(frozen=True, slots=True)
class Names:
    """What an expression may name."""

    plain: tuple[str, ...]
    declared: frozenset[str] = frozenset()


def policy_names(spec: Mapping[str, Any], count: int | None = None) -> Names:
    """Return what expressions of a policy may name, with its first `count` variables (None: all)."""
    plain: tuple[str, ...] = (*CONDITION_VARIABLES, "namespaceObject", "variables")
    if spec.get("paramKind") is not None:
        plain = (*plain, "params")
    declared = [str(variable.get("name")) for variable in (spec.get("variables") or ())[:count]]
    return Names(plain, frozenset(declared))


def check_expression(text: str, path: str, names: Names, *kinds: str) -> Faults:
    """Yield the fault of an expression that does not compile, or whose value can be none of `kinds` (none: any)."""
    try:
        tree = compile_expression(text, tuple(sorted(names.plain))).tree
        scope: Mapping[str, Shape] = {"variables": _Declared(names.declared)}
        found = infer(tree, scope, text).kind
    except CelSyntaxError as error:
        yield invalid(path, text, f"compilation failed: {error}")
        return
    if kinds and found not in (*kinds, "dyn"):
        yield invalid(path, text, f"must evaluate to {' or '.join(kinds)}")


def check_conditions(obj: Mapping[str, Any], path: str, names: Names) -> Faults:
    """Yield the faults of matchConditions' expressions."""
    for here, condition in indexed(obj, "matchConditions", path):
        text = str(condition.get("expression") or "")
        if text.strip():
            yield from check_expression(text, f"{here}.expression", names, "bool")


def check_policy_expressions(spec: Mapping[str, Any]) -> Faults:
    """Yield the faults of all expressions of a policy of either kind."""
    names = policy_names(spec)
    for index, (here, variable) in enumerate(indexed(spec, "variables", "spec")):
        yield from _check(variable, "expression", here, policy_names(spec, index))
    yield from check_conditions(spec, "spec", names)
    for here, validation in indexed(spec, "validations", "spec"):
        yield from _check(validation, "expression", here, names, "bool")
        yield from _check(validation, "messageExpression", here, names, "string")
    for here, annotation in indexed(spec, "auditAnnotations", "spec"):
        yield from _check(annotation, "valueExpression", here, names, "string", "null_type")
    for here, mutation in indexed(spec, "mutations", "spec"):
        for field, kind in (("applyConfiguration", "Object"), ("jsonPatch", "list")):
            yield from _check(mutation.get(field) or {}, "expression", f"{here}.{field}", names, kind)


def _check(obj: Mapping[str, Any], field: str, path: str, names: Names, *kinds: str) -> Faults:
    text = str(obj.get(field) or "")
    if text.strip():
        yield from check_expression(text, f"{path}.{field}", names, *kinds)
