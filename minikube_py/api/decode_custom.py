"""Bodies of custom resources: their metadata is checked as everybody's, the rest is pruned by their own schema.

Upstream: apiextensions-apiserver apiserver/customresource_handler.go (schemaCoercingDecoder).
"""

from typing import Any

from minikube_py.api.decode_check import checker
from minikube_py.api.decode_walk import FINDINGS_MAX, Pairs, plain, walk
from minikube_py.api.meta import Obj
from minikube_py.api.resource import CustomTraits
from minikube_py.api.schema import Field, Schema, definition

_OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_META = Schema(
    "object",
    definition="CustomResource",
    own_fields={"metadata": Field("metadata", definition(_OBJECT_META), required=False, keeps_zero=True)},
)


def decode_custom(obj: Obj | Pairs, custom: CustomTraits) -> tuple[Obj, tuple[str, ...]]:
    """Return the pruned object and the findings (`unknown field "spec.bogus"`), as decode_walk.walk does.

    Raises:
        TypeFaultError: the metadata is not as metadata must be.
    """
    findings: list[str] = []
    _find_duplicates(obj, "", findings)
    clean: Obj = plain(obj)
    meta = clean.get("metadata")
    if meta is None:
        clean.pop("metadata", None)
    elif not checker(_META)({"metadata": meta}):
        mended, unknown = walk(_META, {"metadata": meta})
        clean["metadata"] = mended.get("metadata", {})
        findings += unknown
    findings += [f'unknown field "{path}"' for path in custom.prune(clean)]
    return clean, tuple(findings[:FINDINGS_MAX])


def _find_duplicates(value: Any, path: str, findings: list[str]) -> None:
    if isinstance(value, Pairs):
        seen: set[str] = set()
        for key, inner in value:
            here = f"{path}.{key}" if path else key
            if key in seen:
                findings.append(f'duplicate field "{here}"')
            seen.add(key)
            _find_duplicates(inner, here, findings)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _find_duplicates(item, f"{path}[{index}]", findings)
