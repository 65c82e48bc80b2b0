"""Who owns which field after a write: joins the verbs to the API's rules of ownership."""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.field_owners import Writer, reset_fields, track_update
from minikube_py.api.meta import Obj
from minikube_py.api.resource import Resource
from minikube_py.api.server_side_apply import apply
from minikube_py.apiserver.decisions import WriteContext
from minikube_py.apiserver.object_versions import versions_of


def record_owners(resource: Resource, old: Mapping[str, Any] | None, new: Obj, context: WriteContext) -> None:
    """Set metadata.managedFields of a (private, defaulted) object; an apply has set them already."""
    if context.options.applied:
        return
    entries = track_update(old, new, resource.schema, _writer(resource, context))
    if entries:
        new["metadata"]["managedFields"] = entries
    else:
        new["metadata"].pop("managedFields", None)


def take_owners(merged: Obj, new: Mapping[str, Any], context: WriteContext) -> None:
    """Give an object that was put together from the stored one the owners that an apply has found."""
    if context.options.applied:
        merged["metadata"]["managedFields"] = (new.get("metadata") or {}).get("managedFields") or []


def apply_config(
    resource: Resource, old: Mapping[str, Any] | None, config: Mapping[str, Any], context: WriteContext
) -> Obj:
    """Return the object after a server-side apply of `config`, with its owners; defaults are not set.

    Raises:
        StatusError: conflicts, or a configuration that does not fit the schema.
    """
    return apply(
        old,
        _own_part(config, context.subresource),
        resource.schema,
        _writer(resource, context),
        force=context.options.force,
    )


def _own_part(config: Mapping[str, Any], subresource: str) -> Mapping[str, Any]:
    """Return what of a configuration an endpoint writes, where that is little: only that comes to be owned."""
    fields = _POD_PARTS.get(subresource)
    if fields is None:
        return config
    spec = config.get("spec")
    given = spec if isinstance(spec, Mapping) else {}
    part = {name: _elements(given[name], inner) for name, inner in fields.items() if name in given}
    return {**{name: config[name] for name in ("apiVersion", "kind", "metadata") if name in config}, "spec": part}


def _elements(value: Any, fields: tuple[str, ...]) -> Any:
    if not fields or not isinstance(value, list):
        return value
    return [
        {name: element[name] for name in fields if name in element} if isinstance(element, Mapping) else element
        for element in value
    ]


_RESIZED = ("name", "resources", "resizePolicy")
_POD_PARTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "ephemeralcontainers": {"ephemeralContainers": ()},
    "resize": {"containers": _RESIZED, "initContainers": _RESIZED},
}
"""Subresource -> the fields of spec that it writes, and of their elements (empty: all)."""


def _writer(resource: Resource, context: WriteContext) -> Writer:
    return Writer(
        manager=context.options.field_manager,
        api_version=resource.api_version,
        wall_s=context.wall_s,
        subresource=context.subresource,
        ignored=reset_fields(context.subresource, has_status=resource.subresource("status") is not None),
        versions=versions_of(resource),
    )
