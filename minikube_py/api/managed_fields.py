"""Who owns which field: the entries of `metadata.managedFields`.

Entries keep their tree of fields (`field_paths`) as it came.

Upstream: apimachinery util/managedfields.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from minikube_py.api.field_paths import FieldSet, ManagedFieldsError, decode_fields, encode_fields, without_paths
from minikube_py.api.meta import Obj, parse_time

UPDATE_MANAGERS_MAX = 10
"""More Update entries than this in one object: the oldest ones are joined into one of ANCIENT_CHANGES."""

ANCIENT_CHANGES = "ancient-changes"

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
        left = without_paths(self.fields_v1, paths)
        return self if left is self.fields_v1 else replace(self, fields_v1=left)


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
    if not isinstance(entry.get("fieldsV1") or {}, Mapping):
        raise ManagedFieldsError("the fieldsV1 of an entry of managedFields is no tree")
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
    surplus = sum(entry.operation == "Update" for entry in entries) - UPDATE_MANAGERS_MAX
    if surplus <= 0:
        return tuple(entries)
    updates = sorted((entry for entry in entries if entry.operation == "Update"), key=_by_age)
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
