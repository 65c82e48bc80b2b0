"""The seam between the verbs and field ownership (metadata.managedFields)."""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj, metadata


def track_update(
    old: Mapping[str, Any] | None, new: Obj, *, manager: str, wall_s: float, subresource: str = ""
) -> None:
    """Keep the owners of an object as they are."""
    del manager, wall_s, subresource
    meta = new["metadata"]
    if old is not None and "managedFields" in metadata(old):
        meta["managedFields"] = metadata(old)["managedFields"]
    else:
        meta.pop("managedFields", None)
