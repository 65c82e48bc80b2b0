"""What a table shows of a stored object, read from its bytes without parsing them all.

Half of an object are the owners of its fields, and no column shows them. In canonical bytes (apiserver.canonical)
they are found by what stands before and after them, and so is the end of the metadata:

    {"metadata":{…,"managedFields":[…],"name":…},"apiVersion":"v1","kind":"Pod",…}
                  ^ cut out          ^         ^ the end

No text in an object looks like that, because inside of texts quotes are escaped, and nothing in the metadata of
built-in kinds has these fields in this order. Whatever is not found so is parsed.
"""

from typing import NamedTuple

import orjson

from minikube_py.api.meta import Obj, metadata
from minikube_py.api.resource import Resource
from minikube_py.apiserver.canonical import kept
from minikube_py.store.interface import Entry

_METADATA_AT = len(b'{"metadata":')
_OWNERS, _AFTER_OWNERS = b',"managedFields":[', b'}],"name":"'


class Glance(NamedTuple):
    """An object, perhaps without the owners of its fields, and the JSON of its metadata with them."""

    obj: Obj
    metadata: bytes


def glance(resource: Resource, entry: Entry) -> Glance:
    """Look at an entry of a built-in kind; nothing is kept that was not kept before."""
    value, parsed = entry.value, kept(entry)
    kind = b'},"apiVersion":"%s","kind":"%s"' % (resource.api_version.encode(), resource.kind.encode())
    end = value.find(kind)
    start = value.find(_OWNERS, 0, end)
    after = value.find(_AFTER_OWNERS, start, end) if start >= 0 else -1
    if end < 0:
        parsed = parsed or orjson.loads(value)
        return Glance(parsed, orjson.dumps(metadata(parsed)))
    if parsed is None and after >= 0:
        parsed = orjson.loads(value[:start] + value[after + _AFTER_OWNERS.index(b",") :])
    return Glance(parsed or orjson.loads(value), value[_METADATA_AT : end + 1])
