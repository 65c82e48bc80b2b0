"""What expressions of admission see: the objects by their schema, the request, the namespace, variables on demand.

Upstream: apiserver admission/plugin/cel and policy/*/plugin (the environment's declarations).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from minikube_py.api.cel.expressions import compile_expression
from minikube_py.api.cel.library_standard import to_bytes
from minikube_py.api.cel.library_time import parse_timestamp
from minikube_py.api.cel.syntax import CelSyntaxError
from minikube_py.api.cel.values import Budget, CelError
from minikube_py.api.custom.rule_values import cel_value
from minikube_py.api.meta import Obj
from minikube_py.api.resource import Resource
from minikube_py.api.schema import Schema

VARIABLES = ("authorizer", "namespaceObject", "object", "oldObject", "params", "request", "variables")
"""All that an expression of a policy may name; a webhook's conditions have fewer, which have no value there."""


def object_value(obj: Mapping[str, Any] | None, resource: Resource) -> Any:
    """Return an object as expressions see it."""
    if obj is None:
        return None
    if resource.custom is not None:
        meta = typed_value(obj.get("metadata"), resource.custom.schema.child("metadata"))
        return {**cel_value(dict(obj), resource.custom.node), "metadata": meta}
    return typed_value(obj, resource.schema)


def typed_value(value: Any, schema: Schema | None) -> Any:
    """Return a value of a built-in kind as CEL's types: times are timestamps, numbers doubles, bytes bytes."""
    if schema is None or value is None:
        return value
    if isinstance(value, Mapping):
        return {key: typed_value(inner, schema.child(key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [typed_value(item, schema.item) for item in value]
    return _scalar(value, schema)


def _scalar(value: Any, schema: Schema) -> Any:
    if schema.type == "number" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if schema.type == "bytes" and isinstance(value, str):
        return to_bytes(value)
    return _time(value) if schema.type in ("time", "micro-time") and isinstance(value, str) else value


def _time(text: str) -> Any:
    try:
        return parse_timestamp(text)
    except CelError:
        return text


class LazyVariables(Mapping[str, Any]):
    """`variables` of a policy: each is evaluated when somebody asks for it, once, and may use those before it."""

    def __init__(self, declared: list[Obj], scope: Mapping[str, Any], budget: Budget) -> None:
        self._declared = {str(variable["name"]): str(variable["expression"]) for variable in declared}
        self._scope = scope
        self._budget = budget
        self._known: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            source = self._declared[name]
            self._known[name] = CelError(f"cyclic reference to variable {name}")
            self._known[name] = self._evaluate(name, source)
        found = self._known[name]
        if isinstance(found, CelError):
            raise found
        return found

    def _evaluate(self, name: str, source: str) -> Any:
        try:
            return compile_expression(source, VARIABLES).evaluate_within(
                {**self._scope, "variables": self}, self._budget
            )
        except CelSyntaxError as error:
            return CelError(f"composited variable {name!r} fails to compile: {error}")
        except CelError as error:
            return CelError(f"composited variable {name!r} fails to evaluate: {error}")

    def __contains__(self, name: object) -> bool:
        return name in self._declared

    def __iter__(self) -> Iterator[str]:
        return iter(self._declared)

    def __len__(self) -> int:
        return len(self._declared)
