"""Who owns which field: `metadata.managedFields`, and the sets of paths in it.

A path is a tuple of path elements in upstream's own spelling:

    ("f:spec", "f:containers", 'k:{"name":"c"}', "f:image")

`f:` names a field or a map's key, `k:` a list element by its keys, `v:` a scalar of a set, `i:` an index. A set of
paths is a plain frozenset, so that union, intersection and difference are Python's own. On the wire (FieldsV1) a set
is a tree in which `.` says that the inner node itself belongs to the set:

    {"f:data": {".": {}, "f:a": {}}}     = {("f:data",), ("f:data", "f:a")}
    {"f:data": {"f:a": {}}}              = {("f:data", "f:a")}

Entries keep their tree as it came; most writes touch few entries, and only those are turned into sets.

Upstream: structured-merge-diff fieldpath; apimachinery util/managedfields.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import orjson

from minikube_py.api.meta import Obj, parse_time

Path = tuple[str, ...]
FieldSet = frozenset[Path]

NO_FIELDS: FieldSet = frozenset()

UPDATE_MANAGERS_MAX = 10
"""More Update entries than this in one object: the oldest ones are joined into one of ANCIENT_CHANGES."""

ANCIENT_CHANGES = "ancient-changes"
NESTING_MAX = 200
"""A FieldsV1 tree deeper than this is refused."""

_ITSELF = "."
_PREFIXES = ("f:", "k:", "v:", "i:")

_IDENTITY = ("apiVersion", "kind", "metadata")
_SERVER_METADATA = (
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
)
NEVER_OWNED: FieldSet = frozenset(
    {(f"f:{name}",) for name in _IDENTITY} | {("f:metadata", f"f:{name}") for name in _SERVER_METADATA}
)
"""Fields that nobody owns: they say which object it is, or only the server sets them (upstream: stripMeta)."""


class ManagedFieldsError(Exception):
    """managedFields that a client wrote cannot be read."""


@dataclass(frozen=True, slots=True)
class ManagedEntry:
    """One entry of metadata.managedFields; `fields_v1` is shared and read-only."""

    manager: str
    operation: Literal["Apply", "Update"]
    api_version: str
    fields_v1: Mapping[str, Any]
    time: str = ""
    """RFC 3339, empty when unknown."""
    subresource: str = ""

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """Return what tells entries apart; an applier is the same one in every version of the API."""
        version = "" if self.operation == "Apply" else self.api_version
        return (self.manager, self.operation, version, self.subresource)

    @property
    def fields(self) -> FieldSet:
        """Return the owned paths."""
        return decode_fields(self.fields_v1)

    def without(self, paths: FieldSet) -> "ManagedEntry":
        """Return the entry without `paths`: itself when it owns none of them."""
        lost = [path for path in paths if contains(self.fields_v1, path)]
        return replace(self, fields_v1=encode_fields(self.fields.difference(lost))) if lost else self


def contains(fields_v1: Mapping[str, Any], path: Path) -> bool:
    """Return whether a FieldsV1 tree has the path as a member."""
    node = fields_v1
    for element in path:
        inner = node.get(element)
        if inner is None:
            return False
        node = inner
    return not node or _ITSELF in node


def encode_fields(fields: Iterable[Path]) -> Obj:
    """Return a set of paths as a FieldsV1 tree; its keys have no order until it is written (apiserver.canonical)."""
    tree: Obj = {}
    ends: list[Obj] = []
    for path in fields:
        node = tree
        for element in path:
            inner = node.get(element)
            if inner is None:
                inner = node[element] = {}
            node = inner
        ends.append(node)
    for node in ends:
        if node:
            node[_ITSELF] = {}  # a member in which there are others
    return tree


def decode_fields(fields_v1: Mapping[str, Any]) -> FieldSet:
    """Return the paths of a FieldsV1 tree.

    Raises:
        ManagedFieldsError: it is no such tree.
    """
    found: set[Path] = set()
    todo: list[tuple[Path, Mapping[str, Any]]] = [((), fields_v1)]
    while todo:
        path, node = todo.pop()
        for element, inner in node.items():
            if element == _ITSELF:
                found.add(path)
                continue
            if not element.startswith(_PREFIXES) or not isinstance(inner, Mapping) or len(path) > NESTING_MAX:
                raise ManagedFieldsError(f"not a path element: {element[:80]}")
            below = (*path, element)
            if inner:
                todo.append((below, inner))
            else:
                found.add(below)
    return frozenset(found)


def key_element(keys: Mapping[str, Any]) -> str:
    """Return the path element of a list element that is found by its keys."""
    return "k:" + orjson.dumps(keys, option=orjson.OPT_SORT_KEYS).decode()


def value_element(value: Any) -> str:
    """Return the path element of a scalar in a set."""
    return "v:" + orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def path_text(path: Path) -> str:
    """Return a path as messages show it: `.spec.containers[name="c"].image`."""
    return "".join(_element_text(element) for element in path)


def _element_text(element: str) -> str:
    kind, rest = element[:2], element[2:]
    match kind:
        case "f:":
            return f".{rest}"
        case "k:":
            keys = orjson.loads(rest)
            return "[" + ",".join(f"{name}={orjson.dumps(keys[name]).decode()}" for name in sorted(keys)) + "]"
        case "v:":
            return f"[={rest}]"
        case _:
            return f"[{rest}]"


def decode_entries(managed_fields: object) -> tuple[ManagedEntry, ...]:
    """Return the entries of metadata.managedFields; None and absent give none.

    Raises:
        ManagedFieldsError: an entry is not understood.
    """
    if managed_fields is None:
        return ()
    if not isinstance(managed_fields, list):
        raise ManagedFieldsError("managedFields is not a list")
    return tuple(_decode_entry(entry) for entry in managed_fields)


def _decode_entry(entry: object) -> ManagedEntry:
    if not isinstance(entry, Mapping) or entry.get("operation") not in ("Apply", "Update"):
        raise ManagedFieldsError("an entry of managedFields has no known operation")
    if entry.get("fieldsType") != "FieldsV1":
        raise ManagedFieldsError("an entry of managedFields has no known fieldsType")
    return ManagedEntry(
        manager=str(entry.get("manager") or ""),
        operation=entry["operation"],
        api_version=str(entry.get("apiVersion") or ""),
        fields_v1=entry.get("fieldsV1") or {},
        time=str(entry.get("time") or ""),
        subresource=str(entry.get("subresource") or ""),
    )


def encode_entries(entries: Iterable[ManagedEntry]) -> list[Obj]:
    """Return metadata.managedFields: appliers first, then by time, manager, version and subresource."""
    ordered = sorted(entries, key=lambda entry: (entry.operation, *_by_age(entry)))
    return [_encode_entry(entry) for entry in ordered]


def _encode_entry(entry: ManagedEntry) -> Obj:
    encoded: Obj = {
        "manager": entry.manager,
        "operation": entry.operation,
        "apiVersion": entry.api_version,
        "time": entry.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": entry.fields_v1,
        "subresource": entry.subresource,
    }
    return {key: value for key, value in encoded.items() if value != ""}


def _by_age(entry: ManagedEntry) -> tuple[float, str, str, str]:
    try:
        when = parse_time(entry.time) if entry.time else 0.0
    except ValueError:
        when = 0.0
    return (when, entry.manager, entry.api_version, entry.subresource)


def cap_updates(entries: Sequence[ManagedEntry]) -> tuple[ManagedEntry, ...]:
    """Return at most UPDATE_MANAGERS_MAX Update entries: the oldest of each version are joined into one.

    A version that occurs only once among the oldest keeps its entry; so the bound holds for each version's writers,
    and a kind has one version.
    """
    updates = sorted((entry for entry in entries if entry.operation == "Update"), key=_by_age)
    surplus = len(updates) - UPDATE_MANAGERS_MAX
    kept = [entry for entry in entries if entry.operation != "Update"]
    first: dict[str, ManagedEntry] = {}
    joined: dict[str, ManagedEntry] = {}
    for entry in updates:
        version = entry.api_version
        if surplus <= 0:
            kept.append(entry)
        elif version not in first:
            first[version] = entry
        else:
            before = joined.get(version, first[version])
            fields = encode_fields(before.fields | entry.fields)
            joined[version] = ManagedEntry(ANCIENT_CHANGES, "Update", version, fields, entry.time)
            surplus -= 1
    return (*kept, *(joined.get(version, entry) for version, entry in first.items()))
