"""Which objects of a collection, as of when, and how many: the options of list, watch and deletecollection.

Meaning of resourceVersion for a list: empty = the newest state; "0" = any state (limit is then ignored, as the watch
cache upstream does); N = not older than N, or exactly the state at N with resourceVersionMatch=Exact. Pages of one
list all show the state of the first page: the continue token carries its revision and the last key. A token may also
stand for "go on from this key with whatever is there now" (revision -1), which is offered when the revision of the
first page is compacted.

Upstream: apimachinery apis/meta/internalversion/validation and apiserver storage/continue.go.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from minikube_py.api.errors import BadRequestError, FieldError, InvalidError, invalid
from minikube_py.api.meta import labels_of, name_of, namespace_of
from minikube_py.api.resource import Resource
from minikube_py.api.selectors import (
    FieldRequirement,
    FieldSelector,
    LabelSelector,
    matches_labels,
    parse_field_selector,
    parse_label_selector,
)
from minikube_py.apiserver.options import parse_integer
from minikube_py.apiserver.routes import Route, is_true

_TOKEN_VERSION = "meta.k8s.io/v1"  # noqa: S105  # upstream's name for the token's format, no secret
_METADATA_FIELDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "metadata.name": name_of,
    "metadata.namespace": namespace_of,
}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which objects of a resource: hashable, so that watchers with the same filter can share the work."""

    namespace: str = ""
    labels: LabelSelector = ()
    fields: FieldSelector = ()

    @property
    def everything(self) -> bool:
        """Return whether every object (of the namespace) passes."""
        return not self.labels and not self.fields

    def name(self) -> str:
        """Return the only name that can pass, or an empty text."""
        return next((f.value for f in self.fields if f.path == "metadata.name" and f.equal), "")

    def matches(self, resource: Resource, obj: Mapping[str, Any]) -> bool:
        """Return whether an object of `resource` passes the selectors (the namespace is the caller's)."""
        if self.labels and not matches_labels(self.labels, labels_of(obj)):
            return False
        return all(requirement.matches(read_field(resource, requirement.path, obj)) for requirement in self.fields)


EVERYTHING = Filter()


@dataclass(frozen=True, slots=True)
class ContinueFrom:
    """Where a list goes on: after `after` (the part of the key behind the resource's prefix), as of `revision`."""

    revision: int
    after: str


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Options of list, watch and deletecollection."""

    filter: Filter = EVERYTHING
    resource_version: str = ""
    exact: bool = False
    limit: int = 0
    go_on: ContinueFrom | None = None
    timeout_s: int = 0
    """Watch: when to end it; 0 leaves that to the server."""
    bookmarks: bool = False
    send_initial: bool | None = None
    """sendInitialEvents: None = not given."""


def read_field(resource: Resource, path: str, obj: Mapping[str, Any]) -> str:
    """Return the text of a selectable field, an empty one when it is absent."""
    reader = _METADATA_FIELDS.get(path) or (resource.field_selectors or {}).get(path)
    assert reader is not None, path
    value = reader(obj)
    return "" if value is None else str(value)


def parse_list_options(route: Route, query: Mapping[str, str]) -> ListOptions:
    """Return the options of a list, watch or deletecollection.

    Raises:
        BadRequestError: a selector, number, version or token that cannot be understood.
        InvalidError: options that exclude one another.
    """
    options = ListOptions(
        filter=parse_filter(route, query),
        resource_version=query.get("resourceVersion", ""),
        exact=query.get("resourceVersionMatch") == "Exact",
        limit=max(0, parse_integer(query["limit"])) if query.get("limit") else 0,
        timeout_s=max(0, parse_integer(query["timeoutSeconds"])) if query.get("timeoutSeconds") else 0,
        bookmarks=is_true(query.get("allowWatchBookmarks")),
        send_initial=is_true(query["sendInitialEvents"]) if "sendInitialEvents" in query else None,
    )
    _check_version(options.resource_version)
    _check_match(query, is_watch=route.verb == "watch")
    if token := query.get("continue"):
        if options.resource_version not in ("", "0"):
            raise BadRequestError("specifying resource version is not allowed when using continue")
        return replace(options, go_on=decode_continue(token), resource_version="")
    if options.resource_version == "0":
        return replace(options, limit=0)
    return options


def parse_filter(route: Route, query: Mapping[str, str]) -> Filter:
    """Return the filter of a collection request; a name in the path filters as metadata.name does.

    Raises:
        BadRequestError: a selector that cannot be understood, or a field that cannot be selected by.
    """
    labels = parse_label_selector(query.get("labelSelector", ""))
    fields = parse_field_selector(query.get("fieldSelector", ""))
    for requirement in fields:
        if fault := _field_fault(route.resource, requirement.path):
            raise BadRequestError(fault)
    if route.name and not any(f.path == "metadata.name" and f.value == route.name and f.equal for f in fields):
        if fields:
            raise BadRequestError("fieldSelector metadata.name doesn't match requested name")
        fields = (FieldRequirement("metadata.name", route.name),)
    return Filter(route.namespace, labels, fields)


def _field_fault(resource: Resource, path: str) -> str:
    """Return why a resource cannot be selected by a field, or an empty text (upstream: ConvertFieldLabel)."""
    if resource.field_selectors is None:
        if path in _METADATA_FIELDS:
            return ""
        return f'"{path}" is not a known field selector: only "metadata.name", "metadata.namespace"'
    if path == "metadata.name" or (path == "metadata.namespace" and resource.namespaced):
        return ""
    return "" if path in resource.field_selectors else resource.field_refusal.format(path)


def _check_version(text: str) -> None:
    if text and not (text.isascii() and text.isdigit()):
        raise _list_error(
            "resourceVersion", f'strconv.ParseUint: parsing "{text}": invalid syntax', text, bad_request=True
        )


def _check_match(query: Mapping[str, str], *, is_watch: bool) -> None:
    """Refuse combinations that upstream refuses (ValidateListOptions)."""
    match = query.get("resourceVersionMatch", "")
    initial = query.get("sendInitialEvents")
    if initial is not None and not is_watch:
        raise _list_error("sendInitialEvents", "sendInitialEvents is forbidden for list", None)
    if initial is not None and match != "NotOlderThan":
        raise _list_error(
            "resourceVersionMatch",
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
            None,
        )
    if not match:
        return
    if is_watch and initial is None:
        raise _list_error("resourceVersionMatch", "resourceVersionMatch is forbidden for watch", None)
    if match not in ("Exact", "NotOlderThan"):
        supported = 'supported values: "Exact", "NotOlderThan", ""'
        raise invalid(
            "meta.k8s.io",
            "ListOptions",
            "",
            (FieldError("FieldValueNotSupported", "resourceVersionMatch", supported, match),),
        )
    version = query.get("resourceVersion", "")
    if not version and not is_watch:
        raise _list_error(
            "resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided", None
        )
    if match == "Exact" and version == "0":
        raise _list_error(
            "resourceVersionMatch", 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"', None
        )


def _list_error(
    field: str, detail: str, value: str | None, *, bad_request: bool = False
) -> InvalidError | BadRequestError:
    if bad_request:
        return BadRequestError(f'{field}: Invalid value: "{value}": {detail}')
    return invalid("meta.k8s.io", "ListOptions", "", (FieldError("FieldValueForbidden", field, detail),))


def encode_continue(position: ContinueFrom) -> str:
    r"""Return a token for `position`; opaque for clients, in upstream's form ({v, rv, start} with start = key\0)."""
    token = {"v": _TOKEN_VERSION, "rv": position.revision, "start": position.after + "\0"}
    return base64.urlsafe_b64encode(orjson.dumps(token)).rstrip(b"=").decode()


def decode_continue(token: str) -> ContinueFrom:
    """Return the position of a token.

    Raises:
        BadRequestError: it is none of ours.
    """
    try:
        given = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, ValueError) as error:
        raise BadRequestError(f"invalid continue token: continue key is not valid: {error}") from error
    version = given.get("v", "") if isinstance(given, dict) else ""
    if version != _TOKEN_VERSION:
        raise BadRequestError(
            "invalid continue token: continue key is not valid: server does not recognize this encoded version "
            f'"{version}"'
        )
    revision, start = given.get("rv"), given.get("start")
    if not isinstance(revision, int) or not isinstance(start, str) or not start or ".." in start.split("/"):
        raise BadRequestError(
            "invalid continue token: continue key is not valid: incorrect encoded start resourceVersion"
        )
    return ContinueFrom(revision, start.removesuffix("\0"))
