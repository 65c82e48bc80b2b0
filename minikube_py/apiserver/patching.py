"""Which of the three client-side patch types changes an object how (server-side apply is a verb of its own).

Upstream: apiserver endpoints/handlers/patch.go.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from minikube_py.api.decode import Decoded, Expected, FieldValidation, decode_parsed
from minikube_py.api.errors import BadRequestError, UnsupportedMediaTypeError
from minikube_py.api.meta import Obj
from minikube_py.api.patch import apply_json_patch, apply_merge_patch, patch_fault
from minikube_py.api.schema import schema_of
from minikube_py.api.strategic_merge import apply_strategic_merge

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"

CUSTOM_PATCH_TYPES = (JSON_PATCH, MERGE_PATCH, "application/apply-patch+yaml")
"""Custom resources know no strategic merge: no Go type says which lists have keys."""


def patched(
    obj: Mapping[str, Any], patch: Any, patch_type: str, expected: Expected, validation: FieldValidation
) -> Decoded:
    """Return `obj` after the patch, checked against its schema; neither argument is changed.

    Raises:
        StatusError: the patch cannot be applied to this object.
    """
    result = _result(obj, patch, patch_type, expected)
    # What a merge does not name stays as it is stored, and was checked when it came.
    changed = None if patch_type == JSON_PATCH else patch.keys()
    try:
        return decode_parsed(result, expected, validation, changed=changed)
    except BadRequestError as error:
        shown = patch if patch_type == STRATEGIC_PATCH else result
        raise patch_fault(orjson.dumps(shown).decode(), error.message) from error


def _result(obj: Mapping[str, Any], patch: Any, patch_type: str, expected: Expected) -> Obj:
    if patch_type == JSON_PATCH:
        return apply_json_patch(obj, patch)
    if patch_type == MERGE_PATCH:
        return apply_merge_patch(obj, patch)
    if expected.custom is not None:
        raise UnsupportedMediaTypeError(
            "the body of the request was in an unknown format - accepted media types include: "
            + ", ".join(CUSTOM_PATCH_TYPES)
        )
    return apply_strategic_merge(obj, patch, schema_of(expected.api_version, expected.kind))
