"""What a table shows of a stored object, read from its bytes without parsing them all.

Half of an object are the owners of its fields, and no column shows them. In canonical bytes (apiserver.canonical)
they are found by what stands before and after them, and so is the end of the metadata:

    {"metadata":{…,"managedFields":[…],"name":…},"apiVersion":"v1","kind":"Pod",…}
                  ^ cut out          ^         ^ the end

No text in an object looks like that, because inside of texts quotes are escaped, and nothing in the metadata of
built-in kinds has these fields in this order. Whatever is not found so is parsed.
"""

from dataclasses import dataclass

import orjson

from minikube_py.api.meta import Obj, metadata
from minikube_py.api.resource import Resource

_METADATA_AT = len(b'{"metadata":')
_OWNERS, _AFTER_OWNERS = b',"managedFields":[', b'}],"name":"'


@dataclass(frozen=True, slots=True)
class Glance:
    """An object without the owners of its fields, and the JSON of its metadata with them."""

    obj: Obj
    metadata: bytes


def glance(resource: Resource, value: bytes) -> Glance:
    """Look at the canonical bytes of an object of a built-in kind."""
    kind = b'},"apiVersion":"%s","kind":"%s"' % (resource.api_version.encode(), resource.kind.encode())
    end = value.find(kind)
    start = value.find(_OWNERS, 0, end)
    after = value.find(_AFTER_OWNERS, start, end) if start >= 0 else -1
    if end < 0 or after < 0:
        obj = orjson.loads(value)
        return Glance(obj, orjson.dumps(metadata(obj)))
    cut = after + _AFTER_OWNERS.index(b",")
    return Glance(orjson.loads(value[:start] + value[cut:]), value[_METADATA_AT : end + 1])
