"""RuntimeClass: what it costs to run a pod this way, and on which nodes that is possible.

Upstream: plugin/pkg/admission/runtimeclass.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj, copy_object
from minikube_py.api.quantity import amounts_of
from minikube_py.api.table.scheduling_v1 import RUNTIME_CLASSES
from minikube_py.apiserver.plugins.plugin import Asked, Plugin
from minikube_py.apiserver.plugins.tolerations import merge_tolerations

_DIFFERS = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"


def _runtime(asked: Asked) -> Mapping[str, Any]:
    """Return the class that the pod names, an empty one when it names none.

    Raises:
        ForbiddenError: it is not there.
    """
    name = (asked.new.get("spec") or {}).get("runtimeClassName")
    if name is None:
        return {}
    found = asked.lookups.get(RUNTIME_CLASSES, "", name)
    if found is None:
        raise asked.refusal(f'pod rejected: RuntimeClass "{name}" not found')
    return found


def _overhead(runtime: Mapping[str, Any]) -> Mapping[str, Any] | None:
    overhead = runtime.get("overhead")
    return None if overhead is None else overhead.get("podFixed") or {}


def _same(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> bool:
    return amounts_of(one or {}) == amounts_of(other or {})


def _admit(asked: Asked) -> None:
    runtime, spec = _runtime(asked), asked.new.setdefault("spec", {})
    overhead = _overhead(runtime)
    if overhead is not None:
        if spec.get("overhead") is not None and not _same(overhead, spec["overhead"]):
            raise asked.refusal(_DIFFERS)
        if overhead:
            spec["overhead"] = dict(overhead)
    if runtime.get("scheduling"):
        _set_scheduling(asked, runtime["scheduling"], spec)


def _set_scheduling(asked: Asked, scheduling: Mapping[str, Any], spec: Obj) -> None:
    selector = dict(spec.get("nodeSelector") or {})
    for key, value in sorted((scheduling.get("nodeSelector") or {}).items()):
        if selector.get(key, value) != value:
            wanted = f"runtimeClass.scheduling.nodeSelector[{key}] = {value}"
            raise asked.refusal(f"conflict: {wanted}; pod.spec.nodeSelector[{key}] = {selector[key]}")
        selector[key] = value
    if selector:
        spec["nodeSelector"] = selector
    tolerations = merge_tolerations(spec.get("tolerations") or (), scheduling.get("tolerations") or ())
    if tolerations:
        spec["tolerations"] = copy_object({"all": tolerations})["all"]


def _validate(asked: Asked) -> None:
    overhead, given = _overhead(_runtime(asked)), (asked.new.get("spec") or {}).get("overhead")
    if overhead is None and given is not None:
        raise asked.refusal("pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead")
    if overhead is not None and not _same(overhead, given):
        raise asked.refusal(_DIFFERS)


PLUGINS = (Plugin("RuntimeClass", ("pods",), ("CREATE",), mutate=_admit, validate=_validate),)
