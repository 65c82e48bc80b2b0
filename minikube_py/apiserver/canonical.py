"""The one way in which objects are written as bytes: what the store keeps is what goes over the wire.

Invariants:
  1. A canonical value begins with `{"metadata":{`, so that the revision can be put in without parsing.
  2. Keys are sorted below that, so that equal objects are equal bytes: a write that changes nothing is seen as such.
  3. A proposed value carries no resourceVersion; a stored one carries that of its entry, as metadata's first field.

Upstream: the storage layer's versioner and codec (apiserver storage/etcd3); there the version is set on the decoded
object on every read, here it is stamped once, at apply.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from minikube_py.api.meta import Obj
from minikube_py.store.interface import Entry

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


def peek(entry: Entry) -> Obj:
    """As decode, but what is parsed here is not kept: for looking once at objects that nobody may need again."""
    memo: Obj | None = entry.memo
    return memo if memo is not None else orjson.loads(entry.value)


def decode(entry: Entry) -> Obj:
    """Return the entry's object, parsed once and shared: read it, never change it (api.meta.copy_object)."""
    memo: Obj | None = entry.memo
    if memo is None:
        memo = entry.memo = orjson.loads(entry.value)
    return memo
