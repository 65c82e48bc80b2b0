"""Which objects a Selection means and what a patch makes of an object: the API's rules, put together for fakes."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from minikube_py.api.errors import BadRequestError, UnsupportedMediaTypeError
from minikube_py.api.meta import Obj, labels_of, metadata, namespace_of
from minikube_py.api.patch import apply_json_patch, apply_merge_patch
from minikube_py.api.resource import Resource
from minikube_py.api.schema import schema_of
from minikube_py.api.selectors import matches_labels, parse_field_selector, parse_label_selector
from minikube_py.api.strategic_merge import apply_strategic_merge
from minikube_py.client.interface import APPLY, JSON_PATCH, MERGE, STRATEGIC, PatchType, Selection

_labels = lru_cache(maxsize=256)(parse_label_selector)
_fields = lru_cache(maxsize=256)(parse_field_selector)


def selects(resource: Resource, selection: Selection, obj: Obj) -> bool:
    """Return whether `obj` is in the selection.

    Raises:
        BadRequestError: a selector cannot be read, or asks for a field that the resource does not offer.
    """
    if selection.namespace and namespace_of(obj) != selection.namespace:
        return False
    if not matches_labels(_labels(selection.label_selector), labels_of(obj)):
        return False
    return all(
        requirement.matches(_read_field(resource, requirement.path, obj))
        for requirement in _fields(selection.field_selector)
    )


def _read_field(resource: Resource, path: str, obj: Obj) -> str:
    if path in ("metadata.name", "metadata.namespace"):
        return str(metadata(obj).get(path.removeprefix("metadata."), ""))
    read = (resource.field_selectors or {}).get(path)
    if read is None:
        raise BadRequestError(f"field label not supported: {path}")
    return read(obj)


def patched(obj: Obj, patch: Mapping[str, Any] | Sequence[Any], patch_type: PatchType) -> Obj:
    """Return a new object: `obj` with the patch applied. An apply is treated as a strategic merge: it owns no fields.

    Raises:
        StatusError: the patch has the wrong form, or does not fit.
    """
    if patch_type == JSON_PATCH:
        if isinstance(patch, Mapping):
            raise BadRequestError("a JSON patch is a list of operations")
        return apply_json_patch(obj, patch)
    if not isinstance(patch, Mapping):
        raise BadRequestError("a merge patch is an object")
    if patch_type == MERGE:
        return apply_merge_patch(obj, patch)
    if patch_type in (STRATEGIC, APPLY):
        return apply_strategic_merge(obj, patch, schema_of(obj["apiVersion"], obj["kind"]))
    raise UnsupportedMediaTypeError(f"the patch type {patch_type} is not served")
