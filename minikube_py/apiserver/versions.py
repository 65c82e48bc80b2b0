"""Objects of one kind in several versions: what is stored, and what a row of another version shows of it.

Only `io/storage`, listing and watching know that such rows exist: they convert on the way in and out, and everything
between (verbs, patches, owners, tables) works on the version that the client speaks. Rows that store themselves, all
but two, pay nothing: their entries pass through untouched.

Upstream: the conversion between served and storage version in registry/generic and storage/etcd3.
"""

from minikube_py.api.meta import Obj
from minikube_py.api.resource import Resource
from minikube_py.apiserver.canonical import canonical, stamp
from minikube_py.store.interface import Entry


def stored_object(resource: Resource, obj: Obj) -> Obj:
    """Return an object of a row's version as it is stored."""
    return resource.stored_as.to_stored(obj) if resource.stored_as else obj


def shown_entry(resource: Resource, entry: Entry, obj: Obj) -> Entry:
    """Return a stored entry, whose object is `obj`, as a row's version shows it."""
    if resource.stored_as is None:
        return entry
    value = stamp(canonical(resource.stored_as.from_stored(obj)), entry.mod_revision)
    return Entry(entry.key, value, entry.create_revision, entry.mod_revision)
