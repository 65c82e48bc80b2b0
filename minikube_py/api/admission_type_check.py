"""What a policy's expressions get wrong about the kinds that it matches: warnings for its status, no refusals.

A policy that names its kinds (no `*`) is checked against the schema of each: a field that is not there, a text that
is compared with a number. Upstream: apiserver admission/plugin/policy/validating/typechecking.go.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from minikube_py.api.cel.check import DYN, Shape, infer
from minikube_py.api.cel.expressions import compile_expression
from minikube_py.api.cel.syntax import CelSyntaxError
from minikube_py.api.custom.rule_values import NodeShape
from minikube_py.api.meta import Obj
from minikube_py.api.resource import Resource
from minikube_py.api.rules.admission_expressions import policy_names
from minikube_py.api.schema import Schema

KINDS_MAX = 10
"""So many kinds of one policy are checked (upstream: maxTypesToCheck)."""
_KINDS: Mapping[str, str] = {
    "map": "map",
    "list": "list",
    "string": "string",
    "integer": "int",
    "number": "double",
    "boolean": "bool",
    "bytes": "bytes",
    "time": "google.protobuf.Timestamp",
    "micro-time": "google.protobuf.Timestamp",
}
FindRow = Callable[[str, str, str], Resource | None]
"""(group, version, plural) -> the row that serves it."""


@dataclass(frozen=True, slots=True)
class SchemaShape:
    """The type of a value of a built-in kind (api.cel.check.Shape)."""

    schema: Schema

    @property
    def kind(self) -> str:
        """Return the CEL type; `dyn` for what may be of several."""
        if self.schema.type == "object":
            return "object" if self.schema.fields and not self.schema.is_open else "dyn"
        return _KINDS.get(self.schema.type, "dyn")

    def field(self, name: str) -> Shape | None:
        """Return the type of a field, None when there is none."""
        child = self.schema.child(name)
        return SchemaShape(child) if child is not None else None

    def item(self) -> Shape:
        """Return the type of elements or values."""
        return SchemaShape(self.schema.item) if self.schema.item is not None else DYN


def shape_of(row: Resource) -> Shape:
    """Return the type of a resource's objects."""
    if row.custom is not None:
        return NodeShape(row.custom.node, is_resource=True)
    return SchemaShape(row.schema) if row.schema is not None else DYN


def matched_rows(spec: Mapping[str, Any], find: FindRow) -> tuple[Resource, ...]:
    """Return the rows that a policy names one by one, in the order of their names."""
    names = set()
    for rule in (spec.get("matchConstraints") or {}).get("resourceRules") or ():
        groups, versions, resources = (rule.get(field) or () for field in ("apiGroups", "apiVersions", "resources"))
        triples = ((group, version, name) for group in groups for version in versions for name in resources)
        names |= {triple for triple in triples if "*" not in "".join(triple) and "/" not in triple[2]}
    rows = (find(*name) for name in sorted(names))
    return tuple(row for row in rows if row is not None)[:KINDS_MAX]


def type_warnings(spec: Mapping[str, Any], find: FindRow) -> tuple[Obj, ...]:
    """Return the ExpressionWarnings of a ValidatingAdmissionPolicy."""
    rows = matched_rows(spec, find)
    warnings = []
    for index, validation in enumerate(spec.get("validations") or ()):
        for field in ("expression", "messageExpression"):
            text = str(validation.get(field) or "")
            faults = [_fault(text, row, spec) for row in rows] if text.strip() else []
            if any(faults):
                reference = f"spec.validations[{index}].{field}"
                warnings.append({"fieldRef": reference, "warning": "\n".join(filter(None, faults))})
    return tuple(warnings)


def _fault(text: str, row: Resource, spec: Mapping[str, Any]) -> str:
    """Return what an expression gets wrong about a kind, an empty text when nothing."""
    shape = shape_of(row)
    try:
        tree = compile_expression(text, tuple(sorted(policy_names(spec).plain))).tree
        infer(tree, {"object": shape, "oldObject": shape}, text)
    except CelSyntaxError as error:
        return f"{row.api_version}, Kind={row.kind}: {error}\n"
    return ""
