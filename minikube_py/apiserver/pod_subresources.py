"""pods/ephemeralcontainers and pods/resize: the two changes of a running pod that its spec itself may not make.

Upstream: registry/core/pod strategy.go (podEphemeralContainersStrategy, podResizeStrategy), pkg/apis/core/validation
ValidatePodEphemeralContainersUpdate, ValidatePodResize.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj, copy_object
from minikube_py.api.resource import Resource
from minikube_py.api.rules.container_resources import validate_resources
from minikube_py.api.rules.containers import validate_containers
from minikube_py.api.rules.core_pod import qos_class
from minikube_py.api.rules.faults import Faults, forbidden, indexed, invalid, items, part
from minikube_py.api.rules.pod_update import FROZEN
from minikube_py.apiserver.decisions import Decision, WriteContext, reject_invalid
from minikube_py.apiserver.managed_fields import record_owners, take_owners
from minikube_py.apiserver.verbs import check_identity, settle

_RESIZED = ("cpu", "memory")
_FINISHED = ("Succeeded", "Failed")


def update_ephemeral_containers(
    resource: Resource, old: Mapping[str, Any], new: Obj, context: WriteContext
) -> Decision:
    """Decide an update through /ephemeralcontainers: containers are added, nothing else changes."""
    refused = check_identity(resource, old, new, context)
    if refused is not None:
        return refused
    merged = copy_object(old)
    take_owners(merged, new, context)
    added = list(items(part(new, "spec"), "ephemeralContainers"))
    if added or items(part(old, "spec"), "ephemeralContainers"):
        merged["spec"]["ephemeralContainers"] = added
    resource.rules.set_defaults(merged)
    faults = (*_ephemeral_faults(merged, old), *validate_containers(merged["spec"], "spec"))
    return _settle(resource, old, merged, tuple(faults), context)


def _ephemeral_faults(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    path = "spec.ephemeralContainers"
    after = {container.get("name"): container for container in items(part(new, "spec"), "ephemeralContainers")}
    for container in items(part(old, "spec"), "ephemeralContainers"):
        name = container.get("name")
        if name not in after:
            yield forbidden(path, f'existing ephemeral containers "{name}" may not be removed\n')
        elif after[name] != container:
            yield forbidden(path, f'existing ephemeral containers "{name}" may not be changed\n')


def update_resources(resource: Resource, old: Mapping[str, Any], new: Obj, context: WriteContext) -> Decision:
    """Decide an update through /resize: what the containers ask for changes, within the pod's QoS class."""
    refused = check_identity(resource, old, new, context)
    if refused is not None:
        return refused
    merged = copy_object(old)
    take_owners(merged, new, context)
    given = copy_object(new)
    given.setdefault("spec", {})
    resource.rules.set_defaults(given)
    for field in ("containers", "initContainers"):
        resources = {container.get("name"): container.get("resources") for container in items(given["spec"], field)}
        for container in items(merged["spec"], field):
            if resources.get(container.get("name")) is not None:
                container["resources"] = resources[container["name"]]
    return _settle(resource, old, merged, tuple(_resize_faults(merged, given, old)), context)


def _resize_faults(merged: Mapping[str, Any], given: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    spec, before = part(merged, "spec"), part(old, "spec")
    if part(old, "status").get("phase") in _FINISHED:
        yield forbidden("status.phase", "pod may not be resized in terminal phase")
    if _without_resources(part(given, "spec")) != _without_resources(before):
        yield forbidden("spec", FROZEN.replace("pod updates", "pod resizes", 1))
    for field in ("containers", "initContainers"):
        for index, (path, container) in enumerate(indexed(spec, field, "spec")):
            was = part(items(before, field)[index], "resources")
            yield from validate_resources(part(container, "resources"), f"{path}.resources")
            yield from _check_resized(part(container, "resources"), was, f"{path}.resources")
    if qos_class(spec) != part(old, "status").get("qosClass", qos_class(before)):
        detail = "Pod QOS Class may not change as a result of resizing"
        yield invalid("spec", qos_class(spec), detail)


def _check_resized(new: Mapping[str, Any], old: Mapping[str, Any], path: str) -> Faults:
    for side in ("limits", "requests"):
        after, before = part(new, side), part(old, side)
        for name in sorted(after.keys() | before.keys()):
            if after.get(name) == before.get(name):
                continue
            if name not in _RESIZED:
                yield forbidden(f"{path}.{side}", "only cpu and memory resources are mutable")
            elif name not in after:
                yield forbidden(f"{path}.{side}", f"resource {side} cannot be removed")


def _without_resources(spec: Mapping[str, Any]) -> Obj:
    """Return what of a pod's spec a resize may not change."""
    kept = copy_object(spec)
    for field in ("containers", "initContainers"):
        for container in items(kept, field):
            container.pop("resources", None)
    return {field: value for field, value in kept.items() if value not in (None, {}, [], "")}


def _settle(
    resource: Resource, old: Mapping[str, Any], merged: Obj, faults: tuple[Any, ...], context: WriteContext
) -> Decision:
    if faults:
        return reject_invalid(resource, merged, faults)
    if merged["spec"] != old.get("spec"):
        merged["metadata"]["generation"] = int(merged["metadata"].get("generation", 0)) + 1
    record_owners(resource, old, merged, context)
    return settle(resource, old, merged)
