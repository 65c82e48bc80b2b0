"""Does an object fit its structural schema? Every fault, in upstream's words.

What did not change need not fit: a value that is equal to the stored one is not looked into again (ratcheting), so
that an object survives a schema that became stricter. Values are compared where both sides can be told to be the
same thing: fields of objects, values of maps, elements of lists with keys.

Upstream: kube-openapi validation/validate and validation/errors (the words), apiextensions-apiserver
apiserver/validation (how they become field errors) and its ratcheting.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from minikube_py.api.custom.correlation import UNKNOWN, old_elements, old_field
from minikube_py.api.custom.nodes import (
    INT_OR_STRING,
    Node,
    below,
    items_node,
    properties,
    values_node,
)
from minikube_py.api.errors import FieldError
from minikube_py.api.json_values import is_same_json
from minikube_py.api.regular_expressions import compile_pattern
from minikube_py.api.rules.faults import Faults
from minikube_py.api.text_formats import has_format

NO_FIELD = "<nil>"
"""What upstream shows as the field of a fault that belongs to none."""
_INT_LIMITS = {"int32": 31, "int64": 63}


def validate_value(value: Any, node: Node, path: str = "", old: Any = UNKNOWN) -> Faults:
    """Yield the faults of a value; `old` is the stored one, UNKNOWN when there is none to compare with."""
    if is_same_json(old, value):
        return
    if value is None:
        if not node.get("nullable") and node.get("type"):
            yield _type_fault(value, str(node["type"]), path)
        return
    wrong = _type_faults(value, node, path)
    yield from wrong
    if wrong:
        return
    yield from _validate_enum(value, node, path)
    if isinstance(value, str):
        yield from _validate_text(value, node, path)
    elif isinstance(value, list):
        yield from _validate_list(value, node, path, old)
    elif isinstance(value, dict):
        yield from _validate_object(value, node, path, old)
    elif not isinstance(value, bool):
        yield from _validate_number(value, node, path)
    yield from _validate_junctors(value, node, path)


def _type_faults(value: Any, node: Node, path: str) -> list[FieldError]:
    wanted = node.get("type")
    if node.get(INT_OR_STRING):
        fits = isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
        return [] if fits else [_type_fault(value, "integer,string", path)]
    if not wanted or _is_of(value, str(wanted), str(node.get("format") or "")):
        return []
    return [_type_fault(value, str(wanted), path)]


_PYTHON_TYPES: Mapping[str, type] = {"string": str, "boolean": bool, "array": list, "object": dict}
_TYPE_NAMES: Mapping[type, str] = {
    type(None): "null",
    bool: "boolean",
    str: "string",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
}


def _is_of(value: Any, wanted: str, form: str) -> bool:
    if wanted not in ("integer", "number"):
        return isinstance(value, _PYTHON_TYPES.get(wanted, dict))
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    if wanted == "number":
        return True
    bits = _INT_LIMITS.get(form, 1024)
    return value == int(value) and -(2**bits) <= value < 2**bits


def _type_fault(value: Any, wanted: str, path: str) -> FieldError:
    shown = _TYPE_NAMES[type(value)]
    detail = f'{path} in body must be of type {wanted}: "{shown}"'
    return FieldError("FieldValueTypeInvalid", path or NO_FIELD, detail, shown)


def _invalid(path: str, value: object, detail: str) -> FieldError:
    return FieldError("FieldValueInvalid", path or NO_FIELD, f"{path} in body {detail}", value)


def _validate_enum(value: Any, node: Node, path: str) -> Faults:
    allowed = node.get("enum")
    if not allowed or any(_same(value, choice) for choice in allowed):
        return
    shown = [choice if isinstance(choice, str) else orjson.dumps(choice).decode() for choice in allowed]
    quoted = ", ".join(f'"{choice}"' for choice in shown)
    yield FieldError("FieldValueNotSupported", path or NO_FIELD, f"supported values: {quoted}", value)


def _same(left: Any, right: Any) -> bool:
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _validate_text(value: str, node: Node, path: str) -> Faults:
    longest, shortest, pattern, form = (node.get(key) for key in ("maxLength", "minLength", "pattern", "format"))
    if longest is not None and len(value) > longest:
        yield FieldError("FieldValueTooLong", path or NO_FIELD, f"may not be more than {longest} bytes")
    if shortest is not None and len(value) < shortest:
        yield _invalid(path, value, f"should be at least {shortest} chars long")
    if pattern and compile_pattern(pattern).search(value) is None:
        yield _invalid(path, value, f"should match '{pattern}'")
    if form and not has_format(form, value):
        yield _invalid(path, value, f'must be of type {form}: "{value}"')


def _validate_number(value: float, node: Node, path: str) -> Faults:
    top, bottom, factor = node.get("maximum"), node.get("minimum"), node.get("multipleOf")
    if top is not None and (value >= top if node.get("exclusiveMaximum") else value > top):
        words = "should be less than" if node.get("exclusiveMaximum") else "should be less than or equal to"
        yield _invalid(path, value, f"{words} {_number(top)}")
    if bottom is not None and (value <= bottom if node.get("exclusiveMinimum") else value < bottom):
        words = "should be greater than" if node.get("exclusiveMinimum") else "should be greater than or equal to"
        yield _invalid(path, value, f"{words} {_number(bottom)}")
    if factor and abs(value / factor - round(value / factor)) > 1e-9:
        yield _invalid(path, value, f"should be a multiple of {_number(factor)}")


def _number(value: float) -> str:
    """Return a limit as Go's %v shows a float64: 1, not 1.0."""
    return str(int(value)) if value == int(value) and abs(value) < 1e21 else str(value)


def _validate_list(value: list[Any], node: Node, path: str, old: Any) -> Faults:
    most, least = node.get("maxItems"), node.get("minItems")
    if most is not None and len(value) > most:
        yield _too_many(path, len(value), most)
    if least is not None and len(value) < least:
        yield _invalid(path, len(value), f"should have at least {least} items")
    items = items_node(node)
    if items is not None:
        old_of = old_elements(old, node)
        for index, item in enumerate(value):
            yield from validate_value(item, items, f"{path}[{index}]", old_of(item))


def _too_many(path: str, actual: int, most: int) -> FieldError:
    return FieldError("FieldValueTooMany", path or NO_FIELD, f"must have at most {most} items", actual)


def _validate_object(value: Mapping[str, Any], node: Node, path: str, old: Any) -> Faults:
    most, least = node.get("maxProperties"), node.get("minProperties")
    if most is not None and len(value) > most:
        yield _too_many(path, len(value), most)
    if least is not None and len(value) < least:
        yield _invalid(path, len(value), f"should have at least {least} properties")
    named, values = properties(node), values_node(node)
    for key, inner in value.items():
        child = named.get(key, values)
        if child is not None:
            yield from validate_value(inner, child, below(path, key), old_field(key, old))
    for key in node.get("required") or ():
        if key not in value:
            yield FieldError("FieldValueRequired", below(path, key))


def _validate_junctors(value: Any, node: Node, path: str) -> Faults:
    """Check allOf, anyOf, oneOf and not; their own faults belong to no field, as upstream reports them."""
    every: list[Node] = node.get("allOf") or []
    for part in every:
        yield from validate_value(value, part, path)
    some: list[Node] = node.get("anyOf") or []
    if some and not any(_fits(value, part, path) for part in some):
        yield from _best(value, some, path)
        yield _junctor_fault(f'"{path}" must validate at least one schema (anyOf)')
    one: list[Node] = node.get("oneOf") or []
    if one:
        count = sum(_fits(value, part, path) for part in one)
        if count != 1:
            if count == 0:
                yield from _best(value, one, path)
            found = "Found none valid" if count == 0 else f"Found {count} valid alternatives"
            yield _junctor_fault(f'"{path}" must validate one and only one schema (oneOf). {found}')
    no: Node | None = node.get("not")
    if no is not None and _fits(value, no, path):
        yield _junctor_fault(f'"{path}" must not validate the schema (not)')


def _fits(value: Any, node: Node, path: str) -> bool:
    return next(iter(validate_value(value, node, path)), None) is None


def _best(value: Any, parts: list[Node], path: str) -> Faults:
    """Yield the faults of the alternative that fits best."""
    faults = [list(validate_value(value, part, path)) for part in parts]
    yield from min(faults, key=len)


def _junctor_fault(text: str) -> FieldError:
    return FieldError("FieldValueInvalid", NO_FIELD, text, "")


@dataclass(frozen=True, slots=True)
class Null:
    """A null in a message: None itself stands for "no value"."""

    def __str__(self) -> str:
        return "null"


_BLOCKING = ("FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid")


def rules_not_checked(faults: tuple[FieldError, ...]) -> Iterator[FieldError]:
    """Yield the fault that says that rules were skipped, when the object is so wrong that they could not be run."""
    if any(fault.reason in _BLOCKING for fault in faults):
        detail = (
            "some validation rules were not checked because the object was invalid; "
            "correct the existing errors to complete validation"
        )
        yield FieldError("FieldValueInvalid", NO_FIELD, detail, Null())
