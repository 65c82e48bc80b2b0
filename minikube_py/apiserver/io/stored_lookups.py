"""What plug-ins may look up: the objects in the store, and the authorizer (apiserver.plugins.plugin.Lookups)."""

from collections.abc import Mapping, Sequence
from typing import Any

from minikube_py.api.resource import Resource
from minikube_py.apiserver.admission_authorizer import may
from minikube_py.apiserver.canonical import decode
from minikube_py.apiserver.plugins.plugin import Permission
from minikube_py.apiserver.users import UserInfo
from minikube_py.store.interface import Store


class StoredLookups:
    """Looks durable resources up."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, resource: Resource, namespace: str, name: str) -> Mapping[str, Any] | None:
        """Return an object as it is stored, None when there is none."""
        entry = self._store.get(resource.storage_key(namespace, name))
        return decode(entry) if entry is not None else None

    def list(self, resource: Resource) -> Sequence[Mapping[str, Any]]:
        """Return all objects of a resource, by key."""
        return tuple(decode(entry) for entry in self._store.range(resource.storage_prefix))

    def may(self, user: UserInfo, permission: Permission) -> bool:
        """Ask the authorizer."""
        return may(user, permission)
