"""CustomResourceDefinitions and custom objects for tests."""

from collections.abc import Mapping, Sequence
from typing import Any

from minikube_py.api.custom.naming import settle_names
from minikube_py.api.errors import InternalError
from minikube_py.api.meta import Obj, copy_object
from minikube_py.api.resource import Resource
from minikube_py.api.rules.apiextensions import prepare_create, set_defaults

WIDGET_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "size": {"type": "integer", "minimum": 1},
                "color": {"type": "string", "enum": ["red", "blue"]},
                "replicas": {"type": "integer", "default": 1},
                "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            },
        },
        "status": {"type": "object", "properties": {"replicas": {"type": "integer"}, "phase": {"type": "string"}}},
    },
}


def a_version(
    name: str = "v1", *, storage: bool = True, schema: Mapping[str, Any] = WIDGET_SCHEMA, **more: Any
) -> Obj:
    """Return one version of a definition."""
    version = {"name": name, "served": True, "storage": storage, "schema": {"openAPIV3Schema": schema}, **more}
    return copy_object(version)


def a_definition(*, versions: Sequence[Mapping[str, Any]] = (), group: str = "ex.io", **spec: Any) -> Obj:
    """Return the definition of Widgets, as somebody writes it."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"]},
            "versions": [copy_object(version) for version in versions or (a_version(),)],
            **spec,
        },
    }


def a_served_definition(**changes: Any) -> Obj:
    """Return the definition as it is stored, once it is established."""
    crd = a_definition(**changes)
    set_defaults(crd)
    prepare_create(crd)
    settle_names(crd, (), 0.0)
    return crd


def a_widget(name: str = "w", version: str = "v1", **spec: Any) -> Obj:
    """Return a custom object."""
    return {
        "apiVersion": f"ex.io/{version}",
        "kind": "Widget",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }


async def refuse_conversion(resource: Resource, objs: Sequence[Mapping[str, Any]], api_version: str) -> Sequence[Obj]:
    """Convert nothing: for servers in tests that have no conversion webhook."""
    raise InternalError(f"no webhook converts {len(objs)} {resource.plural} to {api_version} here")
