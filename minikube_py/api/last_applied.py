"""The annotation in which kubectl's client-side apply keeps its last configuration, as server-side apply sees it.

Whoever moves from `kubectl apply` to `kubectl apply --server-side` meets fields that the former owns as
"kubectl-client-side-apply". Where the annotation shows that they still hold what kubectl itself put there, taking
them over is no conflict; and the annotation follows the new configuration, so that going back works too.

Upstream: apimachinery util/managedfields/internal lastappliedmanager.go and lastappliedupdater.go.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from minikube_py.api.field_paths import NO_FIELDS, FieldSet
from minikube_py.api.meta import Obj, annotations_of, copy_object
from minikube_py.api.schema import Schema
from minikube_py.api.typed_walk import WalkError, compare, field_set

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
ANNOTATIONS_BYTES_MAX = 256 * 1024
"""An annotation that would exceed upstream's limit for all annotations is left out."""


def last_applied_fields(live: Mapping[str, Any], definition: Schema | None) -> FieldSet:
    """Return the fields that still hold what the annotation says, none when there is no (readable) annotation."""
    text = annotations_of(live).get(LAST_APPLIED, "")
    try:
        config = orjson.loads(text) if text else None
        if not isinstance(config, dict):
            return NO_FIELDS
        changes = compare(config, live, definition)
        return field_set(config, definition) - changes.taken - changes.removed
    except (orjson.JSONDecodeError, WalkError):
        return NO_FIELDS


def sync_last_applied(result: Obj, applied: Mapping[str, Any], live: Mapping[str, Any] | None) -> None:
    """Write the new configuration into the annotation of `result`, if `live` has one."""
    if not annotations_of(live or {}).get(LAST_APPLIED):
        return
    annotations = result.setdefault("metadata", {}).setdefault("annotations", {})
    config = copy_object(applied)
    (config.get("metadata") or {}).get("annotations", {}).pop(LAST_APPLIED, None)
    text = orjson.dumps(config, option=orjson.OPT_SORT_KEYS).decode() + "\n"
    if len(text.encode()) <= ANNOTATIONS_BYTES_MAX:
        annotations[LAST_APPLIED] = text
    else:
        annotations.pop(LAST_APPLIED, None)
