"""Patches as far as the fakes need them: JSON patch, merge patch, and a strategic patch by convention.

Where the API server merges lists by the schema's patchMergeKey, the fake merges a list of objects by the first of
`uid` (owner references), `type` (conditions), `name`, `containerPort`, `port` that every element carries, and
replaces other lists; `$patch: delete` removes an element, `$patch: replace` replaces a map.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from minikube_py.api.errors import BadRequestError, InvalidError, UnsupportedMediaTypeError
from minikube_py.api.meta import Obj, copy_object
from minikube_py.client.interface import APPLY, JSON_PATCH, MERGE, STRATEGIC, PatchType

_MERGE_KEYS = ("uid", "type", "name", "containerPort", "port", "ip", "topologyKey")


def apply_patch(obj: Obj, patch: Mapping[str, Any] | Sequence[Any], patch_type: PatchType) -> Obj:
    """Return a new object: `obj` with the patch applied; `obj` is left as it is.

    Raises:
        BadRequestError: the patch has the wrong form.
        InvalidError: a JSON patch does not fit the object.
    """
    target: Any = copy_object(obj)
    if patch_type == JSON_PATCH:
        if isinstance(patch, Mapping):
            raise BadRequestError("a JSON patch is a list of operations")
        for operation in patch:
            target = _apply_operation(target, operation)
        return dict(target)
    if not isinstance(patch, Mapping):
        raise BadRequestError("a merge patch is an object")
    copied = copy_object(patch)
    if patch_type in (STRATEGIC, APPLY):
        return dict(_merge_strategic(target, copied))
    if patch_type == MERGE:
        return dict(_merge(target, copied))
    raise UnsupportedMediaTypeError(f"the patch type {patch_type} is not served")


def _merge(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for field, value in patch.items():
        if value is None:
            merged.pop(field, None)
        else:
            merged[field] = _merge(merged.get(field), value)
    return merged


def _merge_strategic(target: Any, patch: Any) -> Any:
    if isinstance(patch, list) and isinstance(target, list):
        return _merge_lists(target, patch)
    if not isinstance(patch, dict):
        return patch
    if patch.get("$patch") == "replace":
        return {field: value for field, value in patch.items() if field != "$patch"}
    merged = dict(target) if isinstance(target, dict) else {}
    for field, value in patch.items():
        if field.startswith("$"):
            continue
        if value is None:
            merged.pop(field, None)
        else:
            merged[field] = _merge_strategic(merged.get(field), value)
    return merged


def _merge_lists(target: list[Any], patch: list[Any]) -> list[Any]:
    elements = [*target, *patch]
    if not all(isinstance(element, dict) for element in elements):
        return patch
    merge_key = next((key for key in _MERGE_KEYS if all(key in element for element in elements)), None)
    if merge_key is None:
        return patch
    merged = {element[merge_key]: element for element in target}
    for element in patch:
        if element.get("$patch") == "delete":
            merged.pop(element[merge_key], None)
        else:
            merged[element[merge_key]] = _merge_strategic(merged.get(element[merge_key]), element)
    return list(merged.values())


def _apply_operation(document: Any, operation: Mapping[str, Any]) -> Any:
    verb, pointer = operation.get("op"), str(operation.get("path", ""))
    if verb not in ("add", "remove", "replace", "test"):
        raise BadRequestError(f"the fake knows no JSON patch operation {verb!r}")
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    if not parts:
        return operation["value"]
    parent = document
    for part in parts[:-1]:
        parent = _step(parent, part, pointer)
    last = parts[-1]
    if verb == "add":
        _add(parent, last, operation["value"])
        return document
    found = _step(parent, last, pointer)
    key: Any = int(last) if isinstance(parent, list) else last
    if verb == "remove":
        del parent[key]
    elif verb == "replace":
        parent[key] = operation["value"]
    elif found != operation["value"]:
        raise InvalidError(f"testing value {pointer} failed")
    return document


def _add(parent: Any, last: str, value: Any) -> None:
    if isinstance(parent, list):
        parent.insert(len(parent) if last == "-" else int(last), value)
    else:
        parent[last] = value


def _step(parent: Any, part: str, pointer: str) -> Any:
    if isinstance(parent, dict) and part in parent:
        return parent[part]
    if isinstance(parent, list) and part.isdigit() and int(part) < len(parent):
        return parent[int(part)]
    raise InvalidError(f"the server rejected our request: path {pointer} does not exist")
