"""The one way in which objects are written as bytes: what the store keeps is what goes over the wire.

Invariants:
  1. A canonical value begins with `{"metadata":{`, so that the revision can be put in without parsing.
  2. Keys are sorted below that, so that equal objects are equal bytes: a write that changes nothing is seen as such.
  3. A proposed value carries no resourceVersion; a stored one carries that of its entry, as metadata's first field.

Upstream: the storage layer's versioner and codec (apiserver storage/etcd3); there the version is set on the decoded
object on every read, here it is stamped once, at apply.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import orjson

from minikube_py.api.meta import Obj
from minikube_py.kit.kept_objects import parse_kept
from minikube_py.store.interface import Entry

DECODED_VALUE_BYTES_MAX = 16 << 20
"""Bytes of the values whose parsed form is kept; that takes about five times as much memory."""
_HEAD = b'{"metadata":{'
_CUT = len(_HEAD)
_STAMP = b'"resourceVersion":"'


def canonical(obj: Mapping[str, Any]) -> bytes:
    """Return the object as a value to propose: sorted keys, metadata first, without resourceVersion."""
    metadata = {field: value for field, value in (obj.get("metadata") or {}).items() if field != "resourceVersion"}
    rest = {field: value for field, value in obj.items() if field != "metadata"}
    head = b'{"metadata":' + orjson.dumps(metadata, option=orjson.OPT_SORT_KEYS)
    if not rest:
        return head + b"}"
    return head + b"," + orjson.dumps(rest, option=orjson.OPT_SORT_KEYS)[1:]


def stamp(value: bytes, revision: int) -> bytes:
    """Return a value with `revision` as its resourceVersion, in place of any it has (a store.interface.Stamp)."""
    assert value.startswith(_HEAD), "not a canonical value"
    if value.startswith(_STAMP, _CUT):
        value = unstamp(value)
    comma = b"" if value[_CUT : _CUT + 1] == b"}" else b","
    return b'%s"resourceVersion":"%d"%s%s' % (_HEAD, revision, comma, value[_CUT:])


def unstamp(value: bytes) -> bytes:
    """Return a stored value as it was proposed (the inverse of stamp)."""
    assert value.startswith(_HEAD + _STAMP), "not a stamped value"
    end = value.index(b'"', _CUT + len(_STAMP)) + 1
    return _HEAD + value[end + (value[end : end + 1] == b",") :]


class DecodedObjects:
    """The objects of the entries that were read last; those not read for the longest time are parsed anew."""

    def __init__(self, value_bytes_max: int) -> None:
        self._value_bytes_max = value_bytes_max
        self._value_bytes = 0
        self._objs: OrderedDict[Entry, Obj] = OrderedDict()

    def kept(self, entry: Entry) -> Obj | None:
        """Return the entry's object if it is kept."""
        return self._objs.get(entry)

    def get(self, entry: Entry) -> Obj:
        """Return the entry's object."""
        obj = self._objs.get(entry)
        if obj is not None:
            self._objs.move_to_end(entry)
            return obj
        parsed: Obj = parse_kept(entry.value)
        self._objs[entry] = parsed
        self._value_bytes += len(entry.value)
        while self._value_bytes > self._value_bytes_max and len(self._objs) > 1:
            self._value_bytes -= len(self._objs.popitem(last=False)[0].value)
        return parsed


_DECODED = DecodedObjects(DECODED_VALUE_BYTES_MAX)


def kept(entry: Entry) -> Obj | None:
    """Return the entry's object (shared, as `decode` gives it) if it was parsed lately."""
    return _DECODED.kept(entry)


def peek(entry: Entry) -> Obj:
    """As decode, but what is parsed here is not kept: for looking once at objects that nobody may need again."""
    obj = kept(entry)
    return obj if obj is not None else orjson.loads(entry.value)


def decode(entry: Entry) -> Obj:
    """Return the entry's object, parsed once and shared: read it, never change it (api.meta.copy_object)."""
    return _DECODED.get(entry)
