"""YAML as JSON values: strict enough to be safe, lenient where upstream is.

Times stay text, keys become text (`1: x` is `"1": "x"`), a key that stands twice is reported, and a document that
grows without bound through aliases is refused.

Values are built from the parser's events as they come. PyYAML's own way composes the whole document as nodes first,
each with two marks: three megabytes of short lines would take half a gigabyte. Here a document takes what its JSON
takes, and what an alias adds is counted before it is added.

Upstream: sigs.k8s.io/yaml, with the bound on aliases that goyaml has.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, TypeAlias

import orjson
import yaml

from minikube_py.api.meta import Obj
from minikube_py.api.value_count import VALUES_MAX

ALIASED_BYTES_MAX = 3 << 20
"""Bytes that the aliases of one document may add, as JSON: as much as a whole body may have.

The values that they add count as those that stand there (VALUES_MAX).
"""
NESTING_MAX = 100
"""YAML that goes deeper is refused."""
_TAG = "tag:yaml.org,2002:"
_TEXT, _MERGE = _TAG + "str", _TAG + "merge"
_AS_THEY_STAND = frozenset({_TEXT, _MERGE, _TAG + "value"})
"""Tags of scalars whose text is their value."""
REPEATED_MAX = 100
"""So many repeated keys are told; upstream tells no more faults of one body either."""
_DEFAULT_TAGS = {"list": _TAG + "seq", "dict": _TAG + "map"}

Scalar: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class ParsedYaml:
    """A document as JSON values, and what only the parser could see."""

    value: Any
    repeated: tuple[str, ...]


class _Loader(yaml.CSafeLoader):
    """PyYAML's parser, and what it knows about plain scalars, without times."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_SCALARS = {
    _TAG + "null": _Loader.construct_yaml_null,
    _TAG + "bool": _Loader.construct_yaml_bool,
    _TAG + "int": _Loader.construct_yaml_int,
    _TAG + "float": _Loader.construct_yaml_float,
}
_NOT_JSON = frozenset(_TAG + name for name in ("binary", "timestamp", "omap", "pairs", "set"))


def parse_yaml(body: bytes) -> ParsedYaml:
    """Return the document in a YAML body; None when it is empty.

    Raises:
        ValueError: it is not YAML, has no meaning in JSON, or grows without bound.
    """
    try:
        loader = _Loader(body)
    except yaml.YAMLError as error:
        raise ValueError(_why(error)) from error
    builder = _Builder(loader)
    try:
        while (event := loader.get_event()) is not None:
            builder.take(event)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(_why(error)) from error
    finally:
        loader.dispose()
    return ParsedYaml(builder.document, tuple(builder.repeated))


def _why(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    return f"yaml: line {mark.line + 1}: {problem}" if mark is not None else f"yaml: {problem}"


class _NoKey:
    """The type of _NO_KEY."""


_NO_KEY = _NoKey()


@dataclass(slots=True)
class _Open:
    """A list or mapping that is being read."""

    value: list[Any] | dict[str, Any]
    anchor: str | None
    nodes_before: int
    key: str | _NoKey = _NO_KEY
    """The key whose value comes next."""
    merges: bool = False
    """The key was `<<`."""
    merged: list[Obj] = field(default_factory=list)
    """What is to be merged into this mapping; its own keys win, then the first of these."""


@dataclass(frozen=True, slots=True)
class _Anchored:
    value: Any
    nodes: int


class _Builder:
    """Puts the values of one document together."""

    def __init__(self, loader: _Loader) -> None:
        self.document: Any = None
        self.repeated: list[str] = []
        self._loader = loader
        self._open: list[_Open] = []
        self._anchors: dict[str, _Anchored | None] = {}
        self._nodes = 0
        self._aliased_bytes = 0
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        """Go on by one event.

        Raises:
            ValueError: the document cannot be taken.
        """
        if self._nodes > VALUES_MAX:
            raise ValueError(f"yaml: more than {VALUES_MAX} values")
        match event:
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.CollectionStartEvent():
                self._begin(event)
            case yaml.CollectionEndEvent():
                self._end()
            case yaml.AliasEvent():
                self._put(self._aliased(event.anchor or ""), None)
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise ValueError("yaml: expected a single document in the stream but found another document")
            case _:
                pass  # the document's and the stream's ends

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        if len(self._open) >= NESTING_MAX:
            raise ValueError(f"yaml: exceeded max depth of {NESTING_MAX}")
        if self._awaits_key():
            raise ValueError("yaml: while constructing a mapping: found unhashable key")
        value: list[Any] | dict[str, Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._check_tag(event.tag, _DEFAULT_TAGS[type(value).__name__])
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._open.append(_Open(value, event.anchor, self._nodes))

    def _end(self) -> None:
        done = self._open.pop()
        if isinstance(done.value, dict):
            for source in done.merged:
                for key, value in source.items():
                    done.value.setdefault(key, value)
        self._nodes += 1
        if done.anchor is not None:
            self._anchors[done.anchor] = _Anchored(done.value, self._nodes - done.nodes_before)
        self._put(done.value, None)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        tag = event.tag
        if tag is None or tag == "!":
            tag = str(self._loader.resolve(yaml.ScalarNode, event.value, event.implicit))  # type: ignore[no-untyped-call]
        value: Scalar = event.value
        if tag not in _AS_THEY_STAND:
            value = self._constructed(tag, event)
        self._nodes += 1
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(value, 1)
        self._put(value, tag)

    def _constructed(self, tag: str, event: yaml.ScalarEvent) -> Scalar:
        construct = _SCALARS.get(tag)
        if construct is None:
            self._check_tag(tag, _TEXT)
            return str(event.value)
        node = yaml.ScalarNode(tag, event.value)
        try:
            value: Scalar = construct(self._loader, node)
        except (ValueError, KeyError, IndexError) as error:
            raise ValueError(f"yaml: cannot decode {event.value[:80]!r} as {tag.removeprefix(_TAG)}") from error
        return value

    def _check_tag(self, tag: str | None, expected: str) -> None:
        if tag in (None, "!", expected):
            return
        if tag in _NOT_JSON:
            raise ValueError(f"yaml: a value with the tag {tag} has no meaning in JSON")
        raise ValueError(f"yaml: could not determine a constructor for the tag {tag!r}")

    def _aliased(self, name: str) -> Any:
        """Return a copy of what an anchor stands for: objects are changed in place later on."""
        if name not in self._anchors:
            raise ValueError(f"yaml: found undefined alias {name!r}")
        anchored = self._anchors[name]
        if anchored is None:
            raise ValueError(f"yaml: exceeded max depth of {NESTING_MAX}: anchor {name!r} holds itself")
        try:
            text = orjson.dumps(anchored.value)
        except orjson.JSONEncodeError as error:
            raise ValueError(f"yaml: a value has no meaning in JSON: {error}") from error
        self._aliased_bytes += len(text)
        if self._aliased_bytes > ALIASED_BYTES_MAX:
            raise ValueError("yaml: document contains excessive aliasing")
        self._nodes += anchored.nodes
        return orjson.loads(text) if isinstance(anchored.value, list | dict) else anchored.value

    def _awaits_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].value, dict) and self._open[-1].key is _NO_KEY

    def _put(self, value: Any, tag: str | None) -> None:
        if not self._open:
            self.document = value
            return
        parent = self._open[-1]
        if isinstance(parent.value, list):
            parent.value.append(value)
            return
        key = parent.key
        if isinstance(key, _NoKey):
            self._key(parent, value, tag)
            return
        parent.key = _NO_KEY
        if parent.merges:
            parent.merges = False
            parent.merged += _sources(value)
            return
        if key in parent.value and len(self.repeated) < REPEATED_MAX:
            self.repeated.append(f'key "{key}" already set in map')
        parent.value[key] = value

    def _key(self, parent: _Open, value: Any, tag: str | None) -> None:
        if isinstance(value, list | dict):
            raise ValueError("yaml: while constructing a mapping: found unhashable key")  # noqa: TRY004
        parent.key = _key_text(value)
        parent.merges = tag == _MERGE


def _sources(value: Any) -> list[Obj]:
    """Return the mappings that `<<` merges: one, or a list of them."""
    sources = value if isinstance(value, list) else [value]
    if not all(isinstance(source, dict) for source in sources):
        raise ValueError("yaml: map merge requires map or sequence of maps as the value")
    return sources


def _key_text(key: Scalar) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return "null" if key is None else str(key)


class _Dumper(yaml.CSafeDumper):
    """PyYAML's emitter, given events: its own way holds all values once more, as nodes."""


def dump_yaml(value: Any) -> bytes:
    """Return a JSON value as YAML, with sorted keys."""
    stream = BytesIO()
    dumper = _Dumper(stream, encoding="utf-8", allow_unicode=True)
    try:
        dumper.emit(yaml.StreamStartEvent(encoding="utf-8"))
        dumper.emit(yaml.DocumentStartEvent(explicit=False))
        for event in _events(value, dumper):
            dumper.emit(event)
        dumper.emit(yaml.DocumentEndEvent(explicit=False))
        dumper.emit(yaml.StreamEndEvent())
    finally:
        dumper.dispose()
    return stream.getvalue()


def dump_yaml_list(head: Mapping[str, Any], items: Iterable[Any]) -> bytes:
    """Return a list's YAML; its items are dumped one at a time, and `items` comes before `kind` and `metadata`."""
    before = {key: value for key, value in head.items() if key < "items"}
    after = {key: value for key, value in head.items() if key > "items"}
    dumped = b"".join(dump_yaml([item]) for item in items)
    return dump_yaml(before) + (b"items:\n" + dumped if dumped else b"items: []\n") + dump_yaml(after)


def _events(value: Any, dumper: _Dumper) -> Iterator[yaml.Event]:
    if isinstance(value, Mapping):
        yield yaml.MappingStartEvent(None, _TAG + "map", implicit=True, flow_style=not value)
        for key in sorted(value):
            yield _scalar_event(key, dumper)
            yield from _events(value[key], dumper)
        yield yaml.MappingEndEvent()
    elif isinstance(value, list):
        yield yaml.SequenceStartEvent(None, _TAG + "seq", implicit=True, flow_style=not value)
        for item in value:
            yield from _events(item, dumper)
        yield yaml.SequenceEndEvent()
    else:
        yield _scalar_event(value, dumper)


def _scalar_event(value: Scalar, dumper: _Dumper) -> yaml.ScalarEvent:
    """Return a scalar: plain where it would be read back as what it is, else quoted by the emitter."""
    if isinstance(value, str):
        tag, text = _TEXT, value
    else:
        node = dumper.yaml_representers[type(value)](dumper, value)
        tag, text = node.tag, node.value
    plain = dumper.resolve(yaml.ScalarNode, text, (True, False)) == tag  # type: ignore[no-untyped-call]
    return yaml.ScalarEvent(None, tag, (plain, tag == _TEXT), text)
