"""Strategic merge patch: a merge patch that knows which lists merge by a key, and that understands directives.

    {"spec": {"containers": [{"name": "c", "image": "new"}]}}        changes one container, keeps the others
    {"spec": {"$patch": "replace", ...}}                             takes the place of the whole map
    {"volumes": [{"name": "v", "$patch": "delete"}]}                 removes one element
    {"volumes": [{"$patch": "replace"}, ...]}                        takes the place of the whole list
    {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}      drops every other key
    {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}  says the order of the merged list
    {"$deleteFromPrimitiveList/finalizers": ["x"]}                   removes scalars from a list that merges

The order of a merged list is upstream's, which kubectl relies on: elements named by the patch keep the patch's order,
the others keep theirs, and where an old and a new element cannot be compared the patch's comes first. So a new
container stands in front of the old ones unless `$setElementOrder` says otherwise.

Merge keys come from the schema's patch keys, which differ from the list keys of server-side apply in a few lists.

Upstream: apimachinery util/strategicpatch, and interpretStrategicMergePatchError for the codes.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from minikube_py.api.errors import BadRequestError, InvalidError, UnnamedError
from minikube_py.api.meta import Obj, copy_object
from minikube_py.api.patch import patch_fault
from minikube_py.api.schema import Schema

_PATCH = "$patch"
_RETAIN_KEYS = "$retainKeys"
_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"
_DIRECTIVES = (_PATCH, _RETAIN_KEYS, _ORDER.rstrip("/"), _DELETE.rstrip("/"))


def apply_strategic_merge(obj: Mapping[str, Any], patch: Mapping[str, Any], definition: Schema | None) -> Obj:
    """Return `obj` after a strategic merge patch; `definition` is the Schema of its kind.

    Without a definition every list is replaced as a whole.

    Raises:
        BadRequestError: a directive has a wrong form.
        InvalidError: a value has the wrong type for its field.
        UnnamedError: an element has no merge key, or `$patch` has an unknown value (upstream answers 500).
    """
    if not isinstance(patch, Mapping):
        raise patch_fault(orjson.dumps(patch).decode(), "a strategic merge patch must be an object")
    return _merge_map(copy_object(obj), copy_object(patch), definition)


def _merge_map(original: Obj, patch: Obj, schema: Schema | None) -> Obj:
    if _PATCH in patch:
        return _replaced_map(patch)
    _retain_keys(original, patch)
    _merge_ordered_lists(original, patch, schema)
    for key, value in patch.items():
        if key.startswith(_DELETE):
            _delete_scalars(original, key, value)
        elif value is None:
            original.pop(key, None)
        else:
            original[key] = _merge_value(original.get(key), value, _child(schema, key), key)
    return original


def _merge_value(original: Any, patch: Any, schema: Schema | None, key: str) -> Any:
    _check_type(patch, schema, key)
    if isinstance(original, dict) and isinstance(patch, dict):
        if schema and "replace" in schema.patch_strategy:
            return patch
        return _merge_map(original, patch, schema)
    if isinstance(original, list) and isinstance(patch, list):
        return _merge_list(original, patch, schema)
    return _without_directives(patch)


def _check_type(value: Any, schema: Schema | None, key: str) -> None:
    """Refuse a map for a list and so on, in upstream's words, before the result is decoded."""
    if schema is None or value is None:
        return
    fault = ""
    if schema.type == "list" and not isinstance(value, list):
        fault = "cannot restore slice from map" if isinstance(value, dict) else "cannot restore slice"
    elif schema.type in ("object", "map") and not isinstance(value, dict):
        fault = "cannot restore struct from: " + type(value).__name__
    if fault:
        raise patch_fault(orjson.dumps({key: value}).decode(), fault)


def _child(schema: Schema | None, key: str) -> Schema | None:
    return schema.child(key) if schema else None


def _merge_list(original: list[Any], patch: list[Any], schema: Schema | None) -> list[Any]:
    if schema is None or "merge" not in schema.patch_strategy:
        kept: list[Any] = _without_directives(patch)
        return kept
    identify = _identity(schema, original, patch)
    if not schema.merge_key:
        merged = _unique([*original, *patch], identify)
        return _ordered(merged, patch, original, identify)
    original, patch = _special_elements(original, patch, schema.merge_key)
    merged = list(original)
    places = {identify(element): place for place, element in enumerate(merged)}
    for element in patch:
        identity = identify(element)
        if identity in places:
            place = places[identity]
            merged[place] = _merge_map(dict(merged[place]), element, schema.item)
        else:
            places[identity] = len(merged)
            merged.append(_without_directives(element))
    return _ordered(merged, patch, original, identify)


def _special_elements(original: list[Any], patch: Sequence[Any], merge_key: str) -> tuple[list[Any], list[Any]]:
    """Carry out the elements with `$patch`; returns what is left of both lists."""
    plain, replace, doomed = [], False, set[bytes]()
    for element in patch:
        match element.get(_PATCH):
            case None:
                plain.append(element)
            case "delete":
                doomed.add(orjson.dumps(_key_value(element, merge_key), option=orjson.OPT_SORT_KEYS))
            case "replace":
                replace = True
            case "merge":
                raise UnnamedError("merging lists cannot yet be specified in the patch")
            case other:
                raise _bad_patch_type(other, element)
    if replace or not doomed:
        return ([] if replace else original), plain
    keys = (orjson.dumps(_key_value(kept, merge_key), option=orjson.OPT_SORT_KEYS) for kept in original)
    return [kept for kept, key in zip(original, keys, strict=True) if key not in doomed], plain


def _merge_ordered_lists(original: Obj, patch: Obj, schema: Schema | None) -> None:
    """Merge each list that has a `$setElementOrder` into `original` and take both out of the patch."""
    for directive in [key for key in patch if key.startswith(_ORDER)]:
        order, key = patch.pop(directive), directive.removeprefix(_ORDER)
        if not isinstance(order, list):
            raise BadRequestError("invalid patch format of $setElementOrder list")
        old, changes = original.get(key), patch.pop(key, None)
        if old is None and changes is None:
            continue
        field = _child(schema, key)
        _check_type(changes, field, key)
        identify = _identity(field, old or (), changes or ())
        _check_order(changes or (), order, identify, field)
        merged: list[Any] = old if old is not None else _without_directives(changes)
        if old is not None and changes is not None:
            merged = _merge_list(old, changes, field)
        original[key] = _ordered(merged, order, old or (), identify)


def _check_order(
    changes: Sequence[Any], order: Sequence[Any], identify: Callable[[Any], str], schema: Schema | None
) -> None:
    """Refuse a patch list whose elements do not stand in its own `$setElementOrder` in the same order."""
    if schema and schema.merge_key:
        changes = [change for change in changes if _PATCH not in change]
    places = {identify(element): place for place, element in enumerate(order)}
    at = [places.get(identify(change), -1) for change in changes]
    if -1 in at or at != sorted(at):
        raise UnnamedError(
            f"The order in patch list:\n{list(changes)}\n doesn't match $setElementOrder list:\n{list(order)}\n"
        )


def _ordered(
    merged: Sequence[Any], order: Sequence[Any], server_order: Sequence[Any], identify: Callable[[Any], str]
) -> list[Any]:
    """Return `merged` in upstream's order (see the module's text); `order` is the patch's."""
    wanted = {identify(element): place for place, element in enumerate(order)}
    before = {identify(element): place for place, element in enumerate(server_order)}
    named = sorted((e for e in merged if identify(e) in wanted), key=lambda e: wanted[identify(e)])
    others = sorted(
        (e for e in merged if identify(e) not in wanted), key=lambda e: before.get(identify(e), len(before))
    )
    result: list[Any] = []
    left, right = 0, 0
    while left < len(others) and right < len(named):
        ours, theirs = before.get(identify(others[left])), before.get(identify(named[right]))
        if ours is not None and theirs is not None and ours < theirs:
            result.append(others[left])
            left += 1
        else:
            result.append(named[right])
            right += 1
    return result + others[left:] + named[right:]


def _identity(schema: Schema | None, *lists: Sequence[Any]) -> Callable[[Any], str]:
    """Return what tells elements apart: the merge key's value, or the scalar itself."""
    merge_key = schema.merge_key if schema else ""
    for element in (element for items in lists for element in items):
        if merge_key and not isinstance(element, dict):
            raise patch_fault(orjson.dumps(element).decode(), "cannot restore struct from: " + type(element).__name__)
        if isinstance(element, list):
            raise InvalidError("the lists of a strategic merge patch must not hold lists")
    if merge_key:
        return lambda element: orjson.dumps(_key_value(element, merge_key)).decode()
    return lambda element: orjson.dumps(element, option=orjson.OPT_SORT_KEYS).decode()


def _key_value(element: Mapping[str, Any], merge_key: str) -> Any:
    if merge_key not in element:
        raise UnnamedError(f"map: {_go_map(element)} does not contain declared merge key: {merge_key}")
    return element[merge_key]


def _unique(elements: Sequence[Any], identify: Callable[[Any], str]) -> list[Any]:
    return list({identify(element): element for element in reversed(elements)}.values())[::-1]


def _delete_scalars(original: Obj, key: str, doomed: Any) -> None:
    if not isinstance(doomed, list):
        raise BadRequestError("invalid patch format of primitive list")
    name = key.removeprefix(_DELETE)
    if isinstance(original.get(name), list):
        gone = {orjson.dumps(element, option=orjson.OPT_SORT_KEYS) for element in doomed}
        original[name] = [
            element for element in original[name] if orjson.dumps(element, option=orjson.OPT_SORT_KEYS) not in gone
        ]


def _retain_keys(original: Obj, patch: Obj) -> None:
    if _RETAIN_KEYS not in patch:
        return
    keys = patch.pop(_RETAIN_KEYS)
    present = {key for key, value in patch.items() if value is not None and not key.startswith((_ORDER, _DELETE))}
    if not isinstance(keys, list) or not present <= set(keys):
        raise BadRequestError("invalid patch format of retainKeys")
    for key in original.keys() - set(keys):
        del original[key]


def _replaced_map(patch: Obj) -> Obj:
    match patch.pop(_PATCH):
        case "replace":
            kept: Obj = _without_directives(patch)
            return kept
        case "delete":
            return {}
        case other:
            raise _bad_patch_type(other, {_PATCH: other, **patch})


def _bad_patch_type(found: object, element: Mapping[str, Any]) -> UnnamedError:
    return UnnamedError(f"unknown patch type: {found} in map: {_go_map(element)}")


def _go_map(value: Any) -> str:
    """Return a map as Go prints it with %v, which is how upstream names the culprit."""
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{key}:{_go_map(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(_go_map, value)) + "]"
    return str(value)


def _without_directives(value: Any) -> Any:
    """Return a patch value that meets nothing to merge with: no nulls, no directives, no deleted elements."""
    if isinstance(value, dict):
        if _PATCH in value:
            return _replaced_map(value)
        return {
            key: _without_directives(inner)
            for key, inner in value.items()
            if inner is not None and not key.startswith(_DIRECTIVES)
        }
    if isinstance(value, list):
        doomed = ("delete", "replace", "merge")
        return [_without_directives(e) for e in value if not (isinstance(e, dict) and e.get(_PATCH) in doomed)]
    return value
