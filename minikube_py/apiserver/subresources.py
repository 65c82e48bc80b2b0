"""Scale, binding and finalize as decisions on the object that they belong to.

Upstream: registry/apps/*/storage (ScaleREST), registry/core/pod/storage (BindingREST),
registry/core/namespace/storage (FinalizeREST).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from minikube_py.api.columns.autoscaling_v1 import SCALE_COLUMNS
from minikube_py.api.errors import (
    BadRequestError,
    FieldError,
    InternalError,
    StatusError,
    UnnamedError,
    conflict,
    invalid,
)
from minikube_py.api.field_owners import Writer
from minikube_py.api.jsonpath import value_at
from minikube_py.api.meta import Obj, copy_object, format_time, is_deleting, metadata
from minikube_py.api.resource import Resource, ScalePaths
from minikube_py.api.schema import schema_of
from minikube_py.api.server_side_apply import apply
from minikube_py.api.table.parts import NEUTRAL
from minikube_py.apiserver.decisions import Decision, Reject, Write, WriteContext
from minikube_py.apiserver.scale_owners import SCALE_VERSION, parent_owners, scale_owners
from minikube_py.apiserver.verbs import check_identity, settle, update

SCALES = Resource(
    group="autoscaling",
    version="v1",
    kind="Scale",
    plural="scales",
    singular="scale",
    namespaced=True,
    rules=NEUTRAL,
    columns=SCALE_COLUMNS,
    computed=True,
)
"""How a Scale is shown, whatever it belongs to; there is no collection of them."""
_PATHS = ScalePaths(("spec", "replicas"), ("status", "replicas"))
_INT32_MAX = 2**31 - 1


def render_scale(obj: Mapping[str, Any], paths: ScalePaths | None = None) -> Obj:
    """Return the autoscaling/v1 Scale of an object; built-in ones have spec.replicas and spec.selector."""
    where = paths or _PATHS
    meta, replicas = metadata(obj), value_at(obj, where.spec_replicas)
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    if paths is None:
        selector = render_selector((obj.get("spec") or {}).get("selector") or {})
    else:
        if replicas is None:
            shown = ".".join(("", *where.spec_replicas))
            raise InternalError(f'the spec replicas field "{shown}" does not exist')
        selector = str(value_at(obj, where.label_selector) or "") if where.label_selector else ""
    scale_status: Obj = {"replicas": value_at(obj, where.status_replicas) or 0}
    if selector:
        scale_status["selector"] = selector
    scale_spec: Obj = {"replicas": replicas} if replicas else {}
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {field: meta[field] for field in kept if field in meta},
        "spec": scale_spec,
        "status": scale_status,
    }


def render_selector(selector: Mapping[str, Any]) -> str:
    """Return a LabelSelector as text (upstream: metav1.FormatLabelSelector)."""
    labels = selector if _is_plain(selector) else selector.get("matchLabels") or {}
    terms = [(key, f"{key}={value}") for key, value in labels.items()]
    if labels is selector:
        return ",".join(text for _, text in sorted(terms))
    for expression in selector.get("matchExpressions") or ():
        key = str(expression.get("key", ""))
        terms.append((key, _render_expression(key, expression)))
    return ",".join(text for _, text in sorted(terms))


def _is_plain(selector: Mapping[str, Any]) -> bool:
    """Return whether a selector is just a map of labels (ReplicationController)."""
    return all(isinstance(value, str) for value in selector.values())


def _render_expression(key: str, expression: Mapping[str, Any]) -> str:
    values: Sequence[str] = sorted(expression.get("values") or ())
    match expression.get("operator"):
        case "In":
            return f"{key} in ({','.join(values)})"
        case "NotIn":
            return f"{key} notin ({','.join(values)})"
        case "DoesNotExist":
            return f"!{key}"
        case _:
            return key


def update_scale(resource: Resource, old: Mapping[str, Any], scale: Obj, context: WriteContext) -> Decision:
    """Decide a change of the number of replicas through a Scale object."""
    refused = check_identity(resource, old, scale, context)
    if refused is not None:
        return refused
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if replicas < 0:
        fault = FieldError("FieldValueInvalid", "spec.replicas", "must be greater than or equal to 0", replicas)
        return Reject(invalid("autoscaling", "Scale", context.name, (fault,)))
    if replicas > _INT32_MAX:
        return Reject(BadRequestError(f"cannot handle {replicas} replicas: it is no int32"))
    new = copy_object(old)
    if context.options.applied:
        new["metadata"]["managedFields"] = parent_owners(resource, old, scale)
    *parents, last = (resource.scale or _PATHS).spec_replicas
    target = new
    for parent in parents:
        target = target.setdefault(parent, {})
    target[last] = replicas
    return update(resource, old, new, context)


def apply_scale(resource: Resource, old: Mapping[str, Any], config: Mapping[str, Any], context: WriteContext) -> Obj:
    """Return an object's Scale after a server-side apply, with the Scale's owners.

    Raises:
        StatusError: conflicts, or a configuration that is no Scale.
    """
    live = render_scale(old, resource.scale)
    live["metadata"]["managedFields"] = scale_owners(resource, old)
    writer = Writer(context.options.field_manager, SCALE_VERSION, context.wall_s, context.subresource)
    return apply(live, config, schema_of(SCALE_VERSION, "Scale"), writer, force=context.options.force)


def bind(resource: Resource, old: Mapping[str, Any], binding: Obj, context: WriteContext) -> Decision:
    """Decide the assignment of a pod to a node: spec.nodeName, the binding's annotations, condition PodScheduled."""
    refused = _check_binding(resource, old, binding, context)
    if refused is not None:
        return Reject(refused)
    new = copy_object(old)
    new.setdefault("spec", {})["nodeName"] = binding["target"]["name"]
    meta = new["metadata"]
    if annotations := metadata(binding).get("annotations"):
        meta["annotations"] = {**(meta.get("annotations") or {}), **annotations}
    if labels := metadata(binding).get("labels"):
        meta["labels"] = {**(meta.get("labels") or {}), **labels}
    if resource.has_generation:
        meta["generation"] = int(meta.get("generation", 0)) + 1
    status = new.setdefault("status", {})
    others = [c for c in status.get("conditions") or () if c.get("type") != "PodScheduled"]
    scheduled = {
        "type": "PodScheduled",
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": format_time(context.wall_s),
    }
    status["conditions"] = [*others, scheduled]
    return Write(new)


def _check_binding(
    resource: Resource, old: Mapping[str, Any], binding: Obj, context: WriteContext
) -> StatusError | None:
    faults = _target_faults(binding.get("target") or {})
    if faults:
        return UnnamedError(str(faults[0]) if len(faults) == 1 else "[" + ", ".join(map(str, faults)) + "]")
    why = _binding_conflict(old, binding, context.name)
    return conflict(resource.group, f"{resource.plural}/binding", context.name, why) if why else None


def _binding_conflict(old: Mapping[str, Any], binding: Mapping[str, Any], name: str) -> str:
    """Return why this pod cannot be bound, an empty text when it can."""
    expected, stored, spec = metadata(binding), metadata(old), old.get("spec") or {}
    why = ""
    if expected.get("uid") and expected["uid"] != stored.get("uid"):
        why = f"Precondition failed: UID in precondition: {expected['uid']}, UID in object meta: {stored.get('uid')}"
    elif expected.get("resourceVersion") and expected["resourceVersion"] != stored.get("resourceVersion"):
        why = (
            f"Precondition failed: ResourceVersion in precondition: {expected['resourceVersion']}, "
            f"ResourceVersion in object meta: {stored.get('resourceVersion')}"
        )
    elif is_deleting(old):
        why = f"pod {name} is being deleted, cannot be assigned to a host"
    elif spec.get("nodeName"):
        why = f'pod {name} is already assigned to node "{spec["nodeName"]}"'
    elif spec.get("schedulingGates"):
        why = f"pod {name} has non-empty .spec.schedulingGates"
    return why


def _target_faults(target: Mapping[str, Any]) -> tuple[FieldError, ...]:
    faults: list[FieldError] = []
    if target.get("kind", "") not in ("", "Node"):
        supported = 'supported values: "Node", "<empty>"'
        faults.append(FieldError("FieldValueNotSupported", "target.kind", supported, target["kind"]))
    if not target.get("name"):
        faults.append(FieldError("FieldValueRequired", "target.name"))
    return tuple(faults)


def finalize(resource: Resource, old: Mapping[str, Any], new: Obj, context: WriteContext) -> Decision:
    """Decide a change of a Namespace's spec.finalizers; without any left, a deleted Namespace goes."""
    refused = check_identity(resource, old, new, context)
    if refused is not None:
        return refused
    changed = copy_object(old)
    finalizers = (new.get("spec") or {}).get("finalizers")
    spec = {field: value for field, value in (changed.get("spec") or {}).items() if field != "finalizers"}
    changed["spec"] = {**spec, "finalizers": finalizers} if finalizers else spec
    return settle(resource, old, changed)
