"""What a request carries, from bytes to an object, options or a patch, by its media type.

Nothing here awaits: what is heavy is called on another thread (`heavy_work`). Upstream: apiserver endpoints/handlers.
"""

import json
from collections.abc import Mapping
from typing import Any

import orjson

from minikube_py.api.decode import (
    JSON,
    YAML,
    Decoded,
    Expected,
    FieldValidation,
    decode_object,
    decode_parsed,
    media_type,
    unrecognized,
)
from minikube_py.api.errors import BadRequestError, TooLargeError, UnnamedError, UnsupportedMediaTypeError
from minikube_py.api.value_count import check_values
from minikube_py.apiserver.io.yaml_values import REPEATED_MAX, parse_yaml

PATCH_TYPES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)


def decode_body(body: bytes, content_type: str, expected: Expected, validation: FieldValidation) -> Decoded:
    """Return the object in a body, whatever media type it has.

    Raises:
        StatusError: 400, 413 or 415, as api.decode.decode_object.
    """
    if media_type(content_type) != YAML:
        return decode_object(body, content_type, expected, validation)
    try:
        parsed = parse_yaml(body)
    except ValueError as error:
        raise unrecognized(expected, str(error), body) from error
    if not isinstance(parsed.value, dict):
        raise unrecognized(expected, "couldn't get version/kind; the document is not a mapping", body)
    return decode_parsed(parsed.value, expected, validation, parsed.repeated)


def decode_options(body: bytes, content_type: str, expected: Expected) -> Mapping[str, Any] | None:
    """Return the DeleteOptions in a body, None when there is none."""
    if not body.strip():
        return None
    try:
        return decode_body(body, content_type, expected, "Ignore").obj
    except BadRequestError as error:
        if media_type(content_type) in ("", JSON) and "cannot be handled as a" in error.message:
            # Upstream's decoder of options does not know other kinds at all; it calls that its own fault.
            raise UnnamedError(error.message) from error
        raise


def parse_patch(body: bytes, content_type: str, body_bytes_max: int) -> Any:
    """Return what a PATCH body says: a list for a JSON patch, a mapping for the others.

    Raises:
        StatusError: 400, 413 or 415.
    """
    media = media_type(content_type)
    if media not in PATCH_TYPES:
        raise UnsupportedMediaTypeError(
            "the body of the request was in an unknown format - accepted media types include: "
            + ", ".join(PATCH_TYPES)
        )
    if len(body) > body_bytes_max:
        raise TooLargeError(f"Request entity too large: limit is {body_bytes_max}")
    is_apply = media == PATCH_TYPES[3]
    if not is_apply or body.startswith(b"{"):
        check_values(body)
    try:
        patch = _parse_apply(body) if is_apply else orjson.loads(body)
    except ValueError as error:
        raise BadRequestError(f"error decoding {'YAML' if is_apply else 'patch'}: {error}") from error
    if media != PATCH_TYPES[0] and not isinstance(patch, dict):
        raise BadRequestError("error decoding patch: json: cannot unmarshal a value that is not an object")
    return patch


def repeated_keys(configuration: bytes) -> tuple[str, ...]:
    """Return which keys stand twice in an applied configuration (`key "a" already set in map`).

    Raises:
        BadRequestError: it is nested too deeply.
    """
    found: list[str] = []

    def seen(pairs: list[tuple[str, Any]]) -> None:
        if len(pairs) != len({key for key, _ in pairs}):
            keys = [key for key, _ in pairs]
            found.extend(f'key "{key}" already set in map' for key in dict.fromkeys(keys) if keys.count(key) > 1)

    try:
        json.loads(configuration, object_pairs_hook=seen)
    except RecursionError as error:
        raise BadRequestError("json: exceeded max depth") from error
    except ValueError:
        return parse_yaml(configuration).repeated
    return tuple(found[:REPEATED_MAX])


def _parse_apply(body: bytes) -> Any:
    """Return an applied configuration: what clients call YAML is JSON nearly always, and so much cheaper."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return parse_yaml(body).value
