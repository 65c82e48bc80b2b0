"""YAML bodies as JSON values: strict enough to be safe, lenient where upstream is.

Times stay text, keys become text (`1: x` is `"1": "x"`), a key that stands twice is reported, and a document that
grows without bound through aliases is refused. Upstream: sigs.k8s.io/yaml.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import yaml

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
from minikube_py.api.meta import Obj

NODES_MAX = 1_000_000
"""More values than this in one YAML document, aliases counted as often as they stand, are refused."""
NESTING_MAX = 100
"""YAML that goes deeper is refused: the C loader would go as deep on the stack, and beyond its end."""
_NESTING_MARKS = (b"[", b"{", b"-", b"?", b":")
PATCH_TYPES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)


class _Loader(yaml.CSafeLoader):
    """PyYAML's safe loader without times and merge surprises; remembers repeated keys."""

    def __init__(self, stream: bytes) -> None:
        super().__init__(stream)
        self.repeated: list[str] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping whose keys are text, and note those that stand twice."""
        seen = set()
        for key_node, _ in node.value:
            key = key_node.value
            if key in seen and key != "<<":
                self.repeated.append(f'key "{key}" already set in map')
            seen.add(key)
        self.flatten_mapping(node)
        return {
            _key(self.construct_object(key_node, deep=True)): self.construct_object(value_node, deep=deep)
            for key_node, value_node in node.value
        }


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True, slots=True)
class ParsedYaml:
    """A document as JSON values, and what only the parser could see."""

    value: Any
    repeated: tuple[str, ...]


def parse_yaml(body: bytes, nodes_max: int = NODES_MAX) -> ParsedYaml:
    """Return the document in a YAML body.

    Raises:
        ValueError: it is not YAML, or grows without bound.
    """
    _check_nesting(body)
    loader = _Loader(body)
    try:
        value = loader.get_single_data()
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(_why(error)) from error
    finally:
        loader.dispose()
    return ParsedYaml(_Plain(nodes_max).convert(value), tuple(loader.repeated))


def _check_nesting(body: bytes) -> None:
    """Refuse a document that goes too deep, by its events, which the parser gives without recursion."""
    if sum(map(body.count, _NESTING_MARKS)) <= NESTING_MAX:
        return
    depth = 0
    parser = _Loader(body)
    try:
        while (event := parser.get_event()) is not None:
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > NESTING_MAX:
                    raise ValueError(f"yaml: exceeded max depth of {NESTING_MAX}")
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    except yaml.YAMLError as error:
        raise ValueError(_why(error)) from error
    finally:
        parser.dispose()


def _why(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    return f"yaml: line {mark.line + 1}: {problem}" if mark is not None else f"yaml: {problem}"


class _Plain:
    """Copies YAML's values into JSON's, counting them."""

    def __init__(self, nodes_max: int) -> None:
        self._nodes_max = nodes_max
        self._nodes = 0

    def convert(self, value: Any, depth: int = 0) -> Any:
        self._nodes += 1
        if depth > NESTING_MAX:
            raise ValueError(f"yaml: exceeded max depth of {NESTING_MAX}")  # an alias that holds itself
        if self._nodes > self._nodes_max:
            raise ValueError("yaml: document contains excessive aliasing")
        if isinstance(value, dict):
            return {key: self.convert(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list):
            return [self.convert(item, depth + 1) for item in value]
        if value is None or isinstance(value, str | int | float | bool):
            return value
        raise ValueError(f"yaml: a value of type {type(value).__name__} has no meaning in JSON")


def _key(key: object) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return "null" if key is None else str(key)


async def decode_body(body: bytes, content_type: str, expected: Expected, validation: FieldValidation) -> Decoded:
    """Return the object in a body, whatever media type it has.

    Raises:
        StatusError: 400, 413 or 415, as api.decode.decode_object.
    """
    if media_type(content_type) != YAML:
        return decode_object(body, content_type, expected, validation)
    try:
        # A small document may take half a second, if it is meant to.
        parsed = await asyncio.to_thread(parse_yaml, body)
    except ValueError as error:
        raise unrecognized(expected, str(error), body) from error
    if not isinstance(parsed.value, dict):
        raise unrecognized(expected, "couldn't get version/kind; the document is not a mapping", body)
    return decode_parsed(parsed.value, expected, validation, parsed.repeated)


async def decode_options(body: bytes, content_type: str, expected: Expected) -> Mapping[str, Any] | None:
    """Return the DeleteOptions in a body, None when there is none."""
    if not body.strip():
        return None
    try:
        return (await decode_body(body, content_type, expected, "Ignore")).obj
    except BadRequestError as error:
        if media_type(content_type) in ("", JSON) and "cannot be handled as a" in error.message:
            # Upstream's decoder of options does not know other kinds at all; it calls that its own fault.
            raise UnnamedError(error.message) from error
        raise


async def parse_patch(body: bytes, content_type: str, body_bytes_max: int) -> Any:
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
    try:
        patch = await _parse_apply(body) if is_apply else orjson.loads(body)
    except ValueError as error:
        raise BadRequestError(f"error decoding {'YAML' if is_apply else 'patch'}: {error}") from error
    if media != PATCH_TYPES[0] and not isinstance(patch, dict):
        raise BadRequestError("error decoding patch: json: cannot unmarshal a value that is not an object")
    return patch


async def _parse_apply(body: bytes) -> Any:
    """Return an applied configuration: what clients call YAML is JSON nearly always, and so much cheaper."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return (await asyncio.to_thread(parse_yaml, body)).value


def dump_yaml(obj: Obj) -> bytes:
    """Return an answer as YAML."""
    text: str = yaml.dump(obj, Dumper=yaml.CSafeDumper, sort_keys=True, default_flow_style=False, allow_unicode=True)
    return text.encode()
