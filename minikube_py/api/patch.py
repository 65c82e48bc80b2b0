"""JSON patch and JSON merge patch: two of the four ways to change an object by PATCH.

Both are pure: the object comes back changed, the argument stays as it was. Resource versions inside a patch are no
concern of this module; the verbs treat them as preconditions afterwards. The other two ways have modules of their
own: `strategic_merge` (needs the schema's merge keys) and `server_side_apply`.

Upstream: apiserver endpoints/handlers/patch.go (jsonPatcher); RFC 6902 (JSON patch), RFC 6901 (its pointers) and
RFC 7386 (merge patch).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from minikube_py.api.errors import BadRequestError, InternalError, InvalidError, TooLargeError
from minikube_py.api.meta import Obj, copy_object
from minikube_py.api.value_count import VALUES_MAX, count_marks

JSON_PATCH_OPERATIONS_MAX = 10_000
"""More operations than this in one JSON patch are refused with 413, as upstream does."""

_INDEX = re.compile(r"-?[0-9]{1,18}")
_REJECTED = "the server rejected our request due to an error in our request"


COPIED_BYTES_MAX = 3 << 20
"""Bytes that the `copy` operations of one patch may add in all (upstream: jsonpatch.AccumulatedCopySizeLimit)."""
SHOWN_LENGTH_MAX = 10_000
"""So much of a culprit is shown: the answer to a patch of megabytes is not three times as long."""


class _OperationError(Exception):
    """One operation cannot be done: the path does not exist, or a test failed."""


def apply_json_patch(obj: Mapping[str, Any], operations: Sequence[Any]) -> Obj:
    """Return `obj` after all operations of an RFC 6902 patch, in order.

    Raises:
        BadRequestError: the patch is not an array of operation objects.
        TooLargeError: more than JSON_PATCH_OPERATIONS_MAX operations.
        InvalidError: a test failed or a path does not exist; nothing is said about which (upstream says no more).
    """
    if not isinstance(operations, Sequence) or isinstance(operations, str | bytes):
        raise BadRequestError("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    if len(operations) > JSON_PATCH_OPERATIONS_MAX:
        raise TooLargeError(
            "Request entity too large: The allowed maximum operations in a JSON patch is"
            f" {JSON_PATCH_OPERATIONS_MAX}, got {len(operations)}"
        )
    document: Any = copy_object(obj)
    copied_bytes = copied_values = 0
    for operation in operations:
        if not isinstance(operation, Mapping):
            raise BadRequestError("json: cannot unmarshal array into Go value of type jsonpatch.Operation")
        try:
            if operation.get("op") == "copy":
                copied = _copied(document, operation)
                copied_bytes += len(copied)
                copied_values += count_marks(copied)
                if copied_bytes > COPIED_BYTES_MAX or copied_values > VALUES_MAX:
                    raise _OperationError("the copies of this patch have too many bytes or values")
            document = _perform(document, operation)
        except _OperationError as fault:
            raise InvalidError(_REJECTED) from fault
    if not isinstance(document, dict):
        raise InvalidError(_REJECTED)
    return document


def apply_merge_patch(obj: Mapping[str, Any], patch: Mapping[str, Any]) -> Obj:
    """Return `obj` merged with an RFC 7386 patch: null removes, objects merge, everything else replaces.

    Raises:
        InvalidError: the patch is not an object.
        InternalError: the patch is null (upstream answers 500 here).
    """
    if patch is None:
        raise InternalError("Invalid JSON Patch")
    if not isinstance(patch, dict):
        raise patch_fault(orjson.dumps(patch).decode(), "couldn't get version/kind; json parse error")
    merged: Obj = _merge(copy_object(obj), patch)
    return merged


def patch_fault(shown: str, detail: str) -> InvalidError:
    """Return upstream's 422 for a patch whose result cannot be an object of the kind; `shown` is the culprit."""
    message = f"Invalid value: {orjson.dumps(shown[:SHOWN_LENGTH_MAX]).decode()}: {detail}"
    cause = {"reason": "FieldValueInvalid", "message": message, "field": "patch"}
    return InvalidError(f' "" is invalid: patch: {message}', {"causes": [cause]})


def _merge(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return _copy(patch)
    merged: Obj = target if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merge(merged.get(key), value)
    return merged


def _copy(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value)) if isinstance(value, dict | list) else value


def _perform(document: Any, operation: Mapping[str, Any]) -> Any:
    name = operation.get("op")
    path = _pointer(operation.get("path"))
    match name:
        case "add":
            return _add(document, path, _copy(operation.get("value")))
        case "remove":
            return _remove(document, path)
        case "replace":
            return _put(document, path, _copy(operation.get("value")))
        case "move":
            source = _pointer(operation.get("from"))
            moved = _get(document, source)
            return _add(_remove(document, source), path, moved)
        case "copy":
            return _add(document, path, _copy(_get(document, _pointer(operation.get("from")))))
        case "test":
            if not _same(_find(document, path), operation.get("value")):
                raise _OperationError(f"test failed at {operation.get('path')}")
            return document
        case _:
            raise _OperationError(f"unexpected operation {name}")


def _copied(document: Any, operation: Mapping[str, Any]) -> bytes:
    """Return what a copy adds, as text: a few that copy one another's results would fill the memory."""
    try:
        return orjson.dumps(_get(document, _pointer(operation.get("from"))))
    except orjson.JSONEncodeError as error:
        raise _OperationError("a copy goes too deep") from error


def _pointer(text: object) -> tuple[str, ...]:
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise _OperationError(f"not a JSON pointer: {text!r}")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:])


def _index(items: Sequence[Any], key: str, *, end: int) -> int:
    """Return the list index that `key` names; negative ones count from the end, as upstream's library allows."""
    if not _INDEX.fullmatch(key):
        raise _OperationError(f"not an index: {key}")
    index = int(key)
    if index < 0:
        index += len(items)
    if not 0 <= index < end:
        raise _OperationError(f"index out of range: {key}")
    return index


def _find(document: Any, path: Sequence[str]) -> Any:
    """Return the value at `path`; a missing last key reads as null, so that `test` may compare with null."""
    if not path:
        return document
    parent = _get(document, path[:-1])
    if isinstance(parent, dict):
        return parent.get(path[-1])
    return _get(document, path)


def _get(document: Any, path: Sequence[str]) -> Any:
    value = document
    for key in path:
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list):
            value = value[_index(value, key, end=len(value))]
        else:
            raise _OperationError(f"missing path: {key}")
    return value


def _add(document: Any, path: Sequence[str], value: Any) -> Any:
    if not path:
        return value
    parent, key = _get(document, path[:-1]), path[-1]
    if isinstance(parent, dict):
        parent[key] = value
    elif isinstance(parent, list):
        index = len(parent) if key == "-" else _index(parent, key, end=len(parent) + 1)
        parent.insert(index, value)
    else:
        raise _OperationError(f"cannot add below a scalar: {key}")
    return document


def _put(document: Any, path: Sequence[str], value: Any) -> Any:
    """Replace a value; upstream's library lets `replace` add an absent key to an object, but not to a list."""
    if not path:
        return value
    parent, key = _get(document, path[:-1]), path[-1]
    if isinstance(parent, dict):
        parent[key] = value
    elif isinstance(parent, list):
        parent[_index(parent, key, end=len(parent))] = value
    else:
        raise _OperationError(f"cannot replace below a scalar: {key}")
    return document


def _remove(document: Any, path: Sequence[str]) -> Any:
    if not path:
        return None
    parent, key = _get(document, path[:-1]), path[-1]
    if isinstance(parent, dict) and key in parent:
        del parent[key]
    elif isinstance(parent, list):
        del parent[_index(parent, key, end=len(parent))]
    else:
        raise _OperationError(f"missing path: {key}")
    return document


def _same(left: Any, right: Any) -> bool:
    """Return whether two JSON values are equal; true and 1 are not, unlike in Python."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return bool(left == right)
