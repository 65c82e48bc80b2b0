"""The built-in admission plug-ins without an API server: what they make of one object, over look-ups in a dict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from minikube_py.api.meta import Obj, name_of, namespace_of
from minikube_py.api.resource import Resource
from minikube_py.apiserver.admission import Attributes, Operation
from minikube_py.apiserver.config import ApiServerConfig
from minikube_py.apiserver.plugins.plugin import Asked, Permission, place_of
from minikube_py.apiserver.plugins.table import plugins_at
from minikube_py.apiserver.users import LOOPBACK, UserInfo


@dataclass(slots=True)
class DictLookups:
    """Objects by their storage keys; every namespace is there (apiserver.plugins.plugin.Lookups)."""

    objects: dict[str, Obj] = field(default_factory=dict)
    allowed: set[tuple[str, str, str]] = field(default_factory=set)
    """(user, verb, name) of what the authorizer allows."""

    def add(self, resource: Resource, obj: Obj) -> None:
        """Put an object there."""
        self.objects[resource.storage_key(namespace_of(obj), name_of(obj))] = obj

    def get(self, resource: Resource, namespace: str, name: str) -> Mapping[str, Any] | None:
        """Return an object."""
        found = self.objects.get(resource.storage_key(namespace, name))
        return {"metadata": {"name": name}} if found is None and resource.plural == "namespaces" else found

    def list(self, resource: Resource) -> Sequence[Mapping[str, Any]]:
        """Return all objects of a resource."""
        prefix = resource.storage_prefix
        return [obj for key, obj in sorted(self.objects.items()) if key.startswith(prefix)]

    def may(self, user: UserInfo, permission: Permission) -> bool:
        """Say whether the user may."""
        return (user.name, permission.verb, permission.name) in self.allowed


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of the plug-ins."""

    resource: Resource
    operation: Operation = "CREATE"
    subresource: str = ""
    user: UserInfo = LOOPBACK


def admit(request: Request, obj: Obj, lookups: DictLookups | None = None, old: Obj | None = None) -> Obj:
    """Let all plug-ins change, then look at, an object; returns it, changed in place.

    Raises:
        StatusError: one refuses.
    """
    seen = obj or old or {}
    resource, namespace = request.resource, namespace_of(seen) if request.resource.namespaced else ""
    attributes = Attributes(
        request.operation, resource, request.subresource, namespace or "n", name_of(seen), request.user
    )
    asked = Asked(attributes, obj, old, lookups or DictLookups(), ApiServerConfig())
    plugins = plugins_at(place_of(attributes), request.operation)
    for act in [p.mutate for p in plugins] + [p.validate for p in plugins]:
        if act is not None:
            act(asked)
    return obj
