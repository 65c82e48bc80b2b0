"""What a table shows of a stored object, read from its bytes without parsing them all.

Half of an object are the owners of its fields, and no column shows them. In canonical bytes (apiserver.canonical)
they are found by what stands before and after them, and so is the end of the metadata:

    {"metadata":{…,"managedFields":[…],"name":…},"apiVersion":"v1","kind":"Pod",…}
                  ^ cut out          ^         ^ the end

No text in an object looks like that, because inside of texts quotes are escaped, and nothing in the metadata of
built-in kinds has these fields in this order. Whatever is not found so is parsed.
"""

from functools import lru_cache
from typing import NamedTuple

import orjson

from minikube_py.api.meta import Obj, metadata
from minikube_py.api.resource import Resource
from minikube_py.apiserver.canonical import kept
from minikube_py.store.interface import Entry

_METADATA_AT = len(b'{"metadata":')
_OWNERS, _AFTER_OWNERS = b',"managedFields":[', b'}],"name":"'
_UNTIL_NAME = len(b"}]")
MARKS_KEPT_MAX = 256
"""Kinds whose mark is kept: more than there are."""


class Glance(NamedTuple):
    """An object, perhaps without the owners of its fields, and the JSON of its metadata with them."""

    obj: Obj
    metadata: bytes


@lru_cache(maxsize=MARKS_KEPT_MAX)
def _mark(group: str, version: str, kind: str) -> bytes:
    """Return what follows the metadata in the bytes of each object of a built-in kind."""
    api_version = f"{group}/{version}" if group else version
    return b'},"apiVersion":"%s","kind":"%s"' % (api_version.encode(), kind.encode())


def glance(resource: Resource, entry: Entry) -> Glance:
    """Look at an entry of a built-in kind; nothing is kept that was not kept before."""
    value, parsed = entry.value, kept(entry)
    mark = _mark(resource.group, resource.version, resource.kind)
    start = value.find(_OWNERS)
    # Each search goes on where the one before it ended: a long value is walked through once. The owners' end is near
    # that of the metadata, and a longer mark is found faster.
    end = value.find(mark, 0, start if start >= 0 else None)
    after = -1
    if end < 0 <= start:
        end = value.find(mark, start)
        if not value.startswith(b"]", start + len(_OWNERS)):
            after = value.rfind(_AFTER_OWNERS, start, max(end, 0))
    if end < 0:
        parsed = parsed or orjson.loads(value)
        return Glance(parsed, orjson.dumps(metadata(parsed)))
    if parsed is None:
        cut = value[:start] + value[after + _UNTIL_NAME :] if after >= 0 else value
        parsed = orjson.loads(cut)
    return Glance(parsed, value[_METADATA_AT : end + 1])
