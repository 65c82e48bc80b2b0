"""How answers are written: lists joined from stored bytes, Tables, PartialObjectMetadata, Status.

The common answers never parse an object: a LIST is a head, the stored bytes with commas between them, and a tail.
Upstream: apiserver endpoints/handlers/response.go (transforms); there every LIST is encoded anew.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from minikube_py.api.errors import StatusError, to_status
from minikube_py.api.meta import Obj, metadata, name_of, uid_of
from minikube_py.api.resource import Resource
from minikube_py.apiserver.negotiate import AnswerForm
from minikube_py.apiserver.tables import render_table

_WITH_DETAILS = frozenset(
    {"NotFound", "Forbidden", "MethodNotAllowed", "Invalid", "NotAcceptable", "UnsupportedMediaType"}
)
"""Reasons whose Status always has details, empty ones if need be."""


PART_BYTES = 512 << 10
"""Long answers are written in parts of about this length."""


@dataclass(frozen=True, slots=True)
class ListMeta:
    """What a list says of itself; `remaining` None: not known (a selector was given)."""

    revision: int
    go_on: str = ""
    remaining: int | None = None

    def obj(self) -> Obj:
        """Return it as ListMeta."""
        meta: Obj = {"resourceVersion": str(self.revision)}
        if self.go_on:
            meta["continue"] = self.go_on
        if self.go_on and self.remaining is not None:
            meta["remainingItemCount"] = self.remaining
        return meta


@dataclass(frozen=True, slots=True)
class ListBody:
    """A list's bytes, not put together yet: what stands around the items, and the items."""

    head: bytes
    items: Sequence[bytes]
    tail: bytes = b"]}"

    @property
    def size_bytes(self) -> int:
        """Return the length of the whole."""
        return len(self.head) + sum(map(len, self.items)) + max(0, len(self.items) - 1) + len(self.tail)

    def whole(self) -> bytes:
        """Return it in one piece."""
        return self.head + b",".join(self.items) + self.tail

    def parts(self) -> Iterator[bytes]:
        """Yield it in parts of about PART_BYTES, none of which is long in the making."""
        yield self.head
        start = size = 0
        for at, item in enumerate(self.items):
            size += len(item)
            if size >= PART_BYTES or at == len(self.items) - 1:
                yield (b"," if start else b"") + b",".join(self.items[start : at + 1])
                start, size = at + 1, 0
        yield self.tail


@dataclass(frozen=True, slots=True)
class TextBody:
    """A long text in pieces."""

    pieces: Sequence[bytes]

    @property
    def size_bytes(self) -> int:
        """Return the length of the whole."""
        return sum(map(len, self.pieces))

    def whole(self) -> bytes:
        """Return it in one piece."""
        return b"".join(self.pieces)

    def parts(self) -> Iterator[bytes]:
        """Yield the pieces."""
        yield from self.pieces


Body: TypeAlias = ListBody | TextBody


def list_body(resource: Resource, values: Sequence[bytes], meta: ListMeta) -> ListBody:
    """Return a list of stored bytes."""
    return ListBody(_list_head(resource, meta), values)


def _list_head(resource: Resource, meta: ListMeta) -> bytes:
    return b'{"kind":"%s","apiVersion":"%s","metadata":%s,"items":[' % (
        resource.list_kind.encode(),
        resource.api_version.encode(),
        orjson.dumps(meta.obj()),
    )


def list_frame(resource: Resource, meta: ListMeta, form: AnswerForm, wall_s: float) -> tuple[bytes, bytes]:
    """Return what stands before and after the items (or rows) of a list in this form."""
    field = b'"rows"' if form.transform == "Table" else b'"items"'
    empty = transform_list(resource, (), meta, form, wall_s)
    if form.pretty:
        text = orjson.dumps(empty, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        at = text.rindex(field + b": [") + len(field) + 3
        return text[:at], b"\n  " + text[at:]
    text = orjson.dumps(empty)
    at = text.rindex(field + b":[") + len(field) + 2
    return text[:at], text[at:]


def list_items(resource: Resource, objs: Sequence[Mapping[str, Any]], form: AnswerForm, wall_s: float) -> bytes:
    """Return some of a list's items (or rows) in this form, with commas between them."""
    if form.transform == "Table":
        items = table(resource, objs, form, wall_s, {}, headers=False)["rows"]
    else:
        items = [partial(obj, form.version) for obj in objs] if form.transform else list(objs)
    if form.pretty:
        # as they stand inside of a list that is indented: each two levels deep
        return orjson.dumps({"": items}, option=orjson.OPT_INDENT_2)[len(b'{\n  "": [') : -len(b"\n  ]\n}")]
    return orjson.dumps(items)[1:-1]


def list_object(resource: Resource, objs: Sequence[Mapping[str, Any]], meta: ListMeta) -> Obj:
    """Return a whole list as an object, for forms that are not plain."""
    return {
        "kind": resource.list_kind,
        "apiVersion": resource.api_version,
        "metadata": meta.obj(),
        "items": list(objs),
    }


def transform_list(
    resource: Resource, objs: Sequence[Mapping[str, Any]], meta: ListMeta, form: AnswerForm, wall_s: float
) -> Obj:
    """Return a list as `form` wants it."""
    if form.transform == "Table":
        return table(resource, objs, form, wall_s, meta.obj())
    if form.transform:
        return {
            "kind": "PartialObjectMetadataList",
            "apiVersion": f"meta.k8s.io/{form.version}",
            "metadata": meta.obj(),
            "items": [partial(obj, form.version) for obj in objs],
        }
    return list_object(resource, objs, meta)


def transform_object(
    resource: Resource, obj: Mapping[str, Any], form: AnswerForm, wall_s: float, *, headers: bool = True
) -> Mapping[str, Any]:
    """Return one object as `form` wants it; a Status or Scale stays what it is."""
    if not form.transform or (obj.get("apiVersion"), obj.get("kind")) != (resource.api_version, resource.kind):
        return obj
    if form.transform == "Table":
        version = metadata(obj).get("resourceVersion")
        return table(resource, (obj,), form, wall_s, {"resourceVersion": version} if version else {}, headers=headers)
    return partial(obj, form.version)


def render_transformed(
    resource: Resource, obj: Mapping[str, Any], form: AnswerForm, wall_s: float, *, headers: bool = True
) -> bytes:
    """Return one object as JSON in the form that is wanted."""
    return orjson.dumps(transform_object(resource, obj, form, wall_s, headers=headers))


def table(
    resource: Resource,
    objs: Sequence[Mapping[str, Any]],
    form: AnswerForm,
    wall_s: float,
    list_meta: Obj,
    *,
    headers: bool = True,
) -> Obj:
    """Return objects as a Table; `headers` False leaves the columns out (later events of a watch)."""
    rendered = render_table(
        resource,
        objs,
        wall_s,
        include_object=form.include_object,
        list_meta=list_meta,
        with_definitions=headers,
    )
    return {**rendered, "apiVersion": f"meta.k8s.io/{form.version}"}


def partial(obj: Mapping[str, Any], version: str = "v1") -> Obj:
    """Return nothing but an object's metadata."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": metadata(obj),
    }


def status_body(error: StatusError) -> bytes:
    """Return an error as the Status that goes over the wire."""
    status = to_status(error)
    if not status["reason"]:
        del status["reason"]
    elif status["reason"] in _WITH_DETAILS:
        status.setdefault("details", {})
    return orjson.dumps(status)


def deleted_status(resource: Resource, obj: Mapping[str, Any]) -> Obj:
    """Return the Status of a deletion that is done."""
    details: Obj = {"name": name_of(obj), "kind": resource.plural, "uid": uid_of(obj)}
    if resource.group:
        details["group"] = resource.group
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def success_status(code: int) -> Obj:
    """Return the Status of a request that has no object to answer with (binding)."""
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": code}
