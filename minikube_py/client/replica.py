"""What a node keeps of the API on its own disk: each collection that it follows, as it was last seen.

One file for each collection, in the form of a list of the API. A file that cannot be read back counts as none: it is
a copy, and the server has the truth.
"""

import hashlib

import orjson

from minikube_py.api.meta import Obj, ObjectKey, key_of, resource_version_of
from minikube_py.api.resource import Resource
from minikube_py.client.interface import ObjectList, Selection, WatchEvent


class Collection:
    """One collection, kept up to date; objects are shared with whoever follows it, and read-only."""

    def __init__(self, listed: ObjectList) -> None:
        self._objects: dict[ObjectKey, Obj] = {key_of(obj): obj for obj in listed.items}
        self._version = listed.resource_version

    def follow(self, event: WatchEvent) -> bool:
        """Take over an event of a watch; return whether the collection changed by it."""
        self._version = str(resource_version_of(event.object))
        key = key_of(event.object)
        match event.type:
            case "ADDED" | "MODIFIED":
                self._objects[key] = event.object
            case "DELETED":
                self._objects.pop(key, None)
            case _:
                return False
        return True

    def listed(self) -> ObjectList:
        """Return the collection as a list, and the version to watch on from."""
        return ObjectList(tuple(self._objects.values()), self._version)


def file_name(resource: Resource, selection: Selection) -> str:
    """Return the name of a collection's file."""
    chosen = "\0".join((selection.namespace, selection.label_selector, selection.field_selector))
    mark = f"-{hashlib.sha256(chosen.encode()).hexdigest()[:12]}" if chosen.strip("\0") else ""
    return f"{resource.qualified}{mark}.json"


def encode_list(listed: ObjectList) -> bytes:
    """Return what goes into a file."""
    # Object by object: other threads run between them, however many there are.
    items = b",".join(orjson.dumps(obj) for obj in listed.items)
    return b'{"metadata":{"resourceVersion":"%s"},"items":[%s]}' % (listed.resource_version.encode(), items)


def decode_list(data: bytes) -> ObjectList:
    """Return the list in a file.

    Raises:
        ValueError: there is none.
    """
    try:
        read = orjson.loads(data)
        items = tuple(read["items"])
        for obj in items:
            key_of(obj)
        return ObjectList(items, str(int(read["metadata"]["resourceVersion"])))
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"no list of objects: {error}") from error
