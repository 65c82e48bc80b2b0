"""Who owns which field after a write: joins the verbs to the API's rules of ownership."""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj
from minikube_py.api.resource import Resource
from minikube_py.api.server_side_apply import Writer, apply, reset_fields, track_update
from minikube_py.apiserver.decisions import WriteContext


def record_owners(resource: Resource, old: Mapping[str, Any] | None, new: Obj, context: WriteContext) -> None:
    """Set metadata.managedFields of a (private, defaulted) object; an apply has set them already."""
    if context.options.applied:
        return
    entries = track_update(old, new, resource.schema, _writer(resource, context))
    if entries:
        new["metadata"]["managedFields"] = entries
    else:
        new["metadata"].pop("managedFields", None)


def apply_config(
    resource: Resource, old: Mapping[str, Any] | None, config: Mapping[str, Any], context: WriteContext
) -> Obj:
    """Return the object after a server-side apply of `config`, with its owners; defaults are not set.

    Raises:
        StatusError: conflicts, or a configuration that does not fit the schema.
    """
    return apply(
        old,
        config,
        resource.schema,
        _writer(resource, context),
        force=context.options.force,
    )


def _writer(resource: Resource, context: WriteContext) -> Writer:
    return Writer(
        manager=context.options.field_manager,
        api_version=resource.api_version,
        wall_s=context.wall_s,
        subresource=context.subresource,
        ignored=reset_fields(context.subresource, has_status=resource.subresource("status") is not None),
    )
