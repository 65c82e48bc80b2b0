"""Which of the three client-side patch types changes an object how (server-side apply is a verb of its own).

Upstream: apiserver endpoints/handlers/patch.go.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.decode import Expected
from minikube_py.api.meta import Obj
from minikube_py.api.patch import apply_json_patch, apply_merge_patch
from minikube_py.api.schema import schema_of
from minikube_py.api.strategic_merge import apply_strategic_merge

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"


def patched(obj: Mapping[str, Any], patch: Any, patch_type: str, expected: Expected) -> Obj:
    """Return `obj` after the patch; neither is changed.

    Raises:
        StatusError: the patch cannot be applied to this object.
    """
    if patch_type == JSON_PATCH:
        return apply_json_patch(obj, patch)
    if patch_type == MERGE_PATCH:
        return apply_merge_patch(obj, patch)
    return apply_strategic_merge(obj, patch, schema_of(expected.api_version, expected.kind))
