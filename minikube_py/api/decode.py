"""From a request's bytes to an object of the kind that the path expects.

Well-formed bodies take the short way: parse, one check that every field is known and of its type, one comparison that
shows that no field came twice. Only when something is amiss does `decode_walk` go through the object again, name what
is wrong and mend what upstream mends (unknown fields and nulls go, quantities and times get their canonical text).

What the client sees follows upstream: with Strict any unknown or duplicate field refuses the request, with Warn (the
server's default) each becomes a warning, with Ignore nobody hears of it; a wrong type is refused always.

Upstream: apimachinery runtime/serializer/json, apiserver endpoints/handlers (create, negotiate).
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from minikube_py.api.decode_check import checker
from minikube_py.api.decode_custom import decode_custom
from minikube_py.api.decode_walk import Pairs, TypeFaultError, walk
from minikube_py.api.errors import BadRequestError, TooLargeError, UnsupportedMediaTypeError
from minikube_py.api.meta import Obj
from minikube_py.api.protobuf import ProtobufError, decode_envelope
from minikube_py.api.resource import CustomTraits, Resource
from minikube_py.api.schema import Schema, definition_name, schema_of
from minikube_py.api.value_count import check_values

FieldValidation = Literal["Strict", "Warn", "Ignore"]

BODY_BYTES_MAX = 3 * 1024 * 1024
"""Upstream's limit for a request body; a longer one is answered with 413."""

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
ACCEPTED = (JSON, YAML, PROTOBUF)
_SHOWN_BYTES_MAX = 1024


@dataclass(frozen=True, slots=True)
class Expected:
    """The kind that a body must have; what an apiVersion or kind that is left out stands for."""

    api_version: str
    kind: str
    custom: CustomTraits | None = field(default=None, compare=False, repr=False)
    """Set for custom resources, which bring their schema."""

    @property
    def schema(self) -> Schema:
        """Return the schema of the kind; the kinds that are served all have one."""
        schema = schema_of(self.api_version, self.kind)
        assert schema is not None, self
        return schema


@dataclass(frozen=True, slots=True)
class Decoded:
    """The object (private to the caller) and what to warn of."""

    obj: Obj
    warnings: tuple[str, ...] = ()


def expected_of(resource: Resource, subresource: str = "") -> Expected:
    """Return the kind that bodies for a resource, or for one of its subresources, carry."""
    sub = resource.subresource(subresource) if subresource else None
    if sub is None or sub.kind == resource.kind:
        return Expected(resource.api_version, resource.kind, resource.custom)
    if not sub.version:
        return Expected("v1", sub.kind)
    return Expected(f"{sub.group}/{sub.version}" if sub.group else sub.version, sub.kind)


def media_type(content_type: str) -> str:
    """Return the media type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def decode_object(
    body: bytes, content_type: str, expected: Expected, field_validation: FieldValidation = "Warn"
) -> Decoded:
    """Return the object in a JSON or protobuf body (no content type means JSON).

    YAML is parsed in io/ and goes through `decode_parsed`.

    Raises:
        TooLargeError: the body is longer than BODY_BYTES_MAX, or has too many values.
        UnsupportedMediaTypeError: the content type is another.
        BadRequestError: the body is not an object of the expected kind, or Strict found fault.
    """
    if len(body) > BODY_BYTES_MAX:
        raise TooLargeError(f"Request entity too large: limit is {BODY_BYTES_MAX}")
    media = media_type(content_type) or JSON
    if media == PROTOBUF and expected.custom is None:
        return _decode_protobuf(body, expected)
    if media != JSON:
        raise UnsupportedMediaTypeError(
            "the body of the request was in an unknown format - accepted media types include: "
            + ", ".join(ACCEPTED if expected.custom is None else ACCEPTED[:2])
        )
    check_values(body)
    try:
        obj = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise unrecognized(
            expected, f"couldn't get version/kind; json parse error: {_why(body, error)}", body
        ) from error
    if not isinstance(obj, dict):
        kind = {list: "array", str: "string", bool: "bool", type(None): "null"}.get(type(obj), "number")
        why = (
            f"couldn't get version/kind; json parse error: json: cannot unmarshal {kind} into Go value of type struct"
        )
        raise unrecognized(expected, why, body)
    check_kind(obj, expected)
    repeats = field_validation != "Ignore" and _may_repeat(body, obj)
    if expected.custom is not None:
        return _decode_custom(_pairs(body) if repeats else obj, expected, field_validation)
    if not repeats and checker(expected.schema)(obj):
        return Decoded(_named(obj, expected))
    return _decode_slowly(_pairs(body), expected, field_validation)


def decode_parsed(
    obj: Mapping[str, Any],
    expected: Expected,
    field_validation: FieldValidation = "Warn",
    duplicates: Sequence[str] = (),
    changed: Collection[str] | None = None,
) -> Decoded:
    """Return the object that was parsed elsewhere (YAML in io/, results of patches).

    Args:
        obj: the object.
        expected: its kind.
        field_validation: what becomes of unknown fields.
        duplicates: findings that only the parser could see, worded as `key "a" already set in map`.
        changed: the fields to look at, when all others are those of an object that was decoded before; None: all.

    Raises:
        BadRequestError: it is not an object of the expected kind, or Strict found fault.
    """
    check_kind(obj, expected)
    if expected.custom is not None:
        return _decode_custom(dict(obj), expected, field_validation, tuple(duplicates))
    looked_at = obj if changed is None else {field: obj[field] for field in changed if field in obj}
    if checker(expected.schema)(looked_at):
        return _judge(dict(obj), tuple(duplicates), expected, field_validation)
    return _decode_slowly(obj, expected, field_validation, tuple(duplicates))


_SAME_FIELDS = {("policy/v1beta1", "Eviction"): "policy/v1"}
"""Versions that are no longer served and still understood, being equal field by field (EvictionREST)."""


def check_kind(obj: Mapping[str, Any], expected: Expected) -> None:
    """Refuse an object whose apiVersion or kind is given and is not the expected one.

    Raises:
        BadRequestError: upstream's words.
    """
    api_version, kind = obj.get("apiVersion") or expected.api_version, obj.get("kind") or expected.kind
    if not isinstance(api_version, str) or not isinstance(kind, str):
        raise unrecognized(expected, "couldn't get version/kind: apiVersion and kind must be strings", b"")
    if (api_version, kind) == (expected.api_version, expected.kind) or _same_kind(api_version, kind, expected):
        return
    version = api_version.rpartition("/")[2]
    if kind == expected.kind:
        raise BadRequestError(
            f"the API version in the data ({api_version}) does not match the expected API version "
            f"({expected.api_version})"
        )
    if schema_of(api_version, kind) is None:
        why = f'no kind "{kind}" is registered for version "{api_version}"'
    else:
        why = f"converting ({version}.{kind}) to ({expected.kind}): unknown conversion"
    raise BadRequestError(f'{kind} in version "{version}" cannot be handled as a {expected.kind}: {why}')


def _same_kind(api_version: str, kind: str, expected: Expected) -> bool:
    """Return whether this is another name of the same kind (every group has the one DeleteOptions)."""
    if (api_version, kind) in _SAME_FIELDS and _SAME_FIELDS[api_version, kind] == expected.api_version:
        return kind == expected.kind
    name = definition_name(api_version, kind)
    return name != "" and name == definition_name(expected.api_version, expected.kind)


def unrecognized(expected: Expected, why: str, body: bytes) -> BadRequestError:
    """Return the error for a body in which not even a kind could be found."""
    shown = body[:_SHOWN_BYTES_MAX].decode(errors="replace") if body else "<empty>"
    return BadRequestError(f"the object provided is unrecognized (must be of type {expected.kind}): {why} ({shown})")


def _cannot_handle(expected: Expected, why: str) -> BadRequestError:
    version = expected.api_version.rpartition("/")[2]
    return BadRequestError(f'{expected.kind} in version "{version}" cannot be handled as a {expected.kind}: {why}')


def _why(body: bytes, error: orjson.JSONDecodeError) -> str:
    if error.pos >= len(body.rstrip()):
        return "unexpected end of JSON input"
    return f"invalid character {body[error.pos : error.pos + 1].decode(errors='replace')!r} at byte {error.pos}"


def _may_repeat(body: bytes, obj: Obj) -> bool:
    """Return whether a field may stand twice in the text: the parsed object, written out, is not that text again."""
    return orjson.dumps(obj) != body.strip() and _repeats(body)


def _repeats(body: bytes) -> bool:
    found = False

    def seen(pairs: list[tuple[str, Any]]) -> None:
        nonlocal found
        found = found or len({key for key, _ in pairs}) != len(pairs)

    _loads(body, seen)
    return found


def _pairs(body: bytes) -> Pairs:
    pairs: Pairs = _loads(body, Pairs)
    return pairs


def _loads(body: bytes, hook: Any) -> Any:
    try:
        return json.loads(body, object_pairs_hook=hook)
    except RecursionError as error:
        raise BadRequestError("json: exceeded max depth") from error


def _decode_slowly(
    obj: Mapping[str, Any] | Pairs, expected: Expected, field_validation: FieldValidation, found: tuple[str, ...] = ()
) -> Decoded:
    try:
        clean, findings = walk(expected.schema, obj)
    except TypeFaultError as error:
        raise _cannot_handle(expected, str(error)) from error
    except RecursionError as error:
        raise BadRequestError("json: exceeded max depth") from error
    return _judge(clean, found + findings, expected, field_validation)


def _decode_custom(
    obj: Obj | Pairs, expected: Expected, field_validation: FieldValidation, found: tuple[str, ...] = ()
) -> Decoded:
    assert expected.custom is not None
    try:
        clean, findings = decode_custom(obj, expected.custom)
    except TypeFaultError as error:
        raise _cannot_handle(expected, str(error)) from error
    except RecursionError as error:
        raise BadRequestError("json: exceeded max depth") from error
    return _judge(clean, found + findings, expected, field_validation)


def _judge(obj: Obj, findings: tuple[str, ...], expected: Expected, field_validation: FieldValidation) -> Decoded:
    if findings and field_validation == "Strict":
        raise _cannot_handle(expected, "strict decoding error: " + ", ".join(findings))
    return Decoded(_named(obj, expected), findings if field_validation == "Warn" else ())


def _named(obj: Obj, expected: Expected) -> Obj:
    if obj.get("apiVersion") and obj.get("kind"):
        return obj
    return {**obj, "apiVersion": expected.api_version, "kind": expected.kind}


def _decode_protobuf(body: bytes, expected: Expected) -> Decoded:
    try:
        obj = decode_envelope(body, expected.api_version, expected.kind)
    except ProtobufError as error:
        raise unrecognized(expected, str(error), body) from error
    check_kind(obj, expected)
    return decode_parsed(obj, expected, "Ignore")
