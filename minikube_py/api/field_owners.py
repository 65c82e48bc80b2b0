"""Who owns which field after a write that is no apply: whoever changed a field has it, everybody else lost it.

An object that has no owners on record (somebody reset them with `[{}]`) stays so until the next apply.

Upstream: structured-merge-diff merge/update.go (Update); apimachinery util/managedfields/internal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from minikube_py.api.added_fields import added_fields
from minikube_py.api.field_paths import (
    NO_FIELDS,
    FieldSet,
    ManagedFieldsError,
    contains,
    decode_fields,
    encode_fields,
    with_paths,
    without_paths,
)
from minikube_py.api.managed_fields import (
    NEVER_OWNED,
    ManagedEntry,
    cap_updates,
    decode_entries,
    encode_entries,
)
from minikube_py.api.meta import Obj, format_time, metadata, uid_of
from minikube_py.api.schema import Schema
from minikube_py.api.typed_walk import WalkError
from minikube_py.api.versioned_fields import Versions, VersionSet

_RESET: list[Obj] = [{}]


@dataclass(frozen=True, slots=True)
class Writer:
    """On whose behalf a write is made, when, and which part of the object it may change."""

    manager: str
    """The `fieldManager` parameter, or the User-Agent up to its first slash."""
    api_version: str
    wall_s: float
    subresource: str = ""
    ignored: FieldSet = NO_FIELDS
    """Paths that this endpoint resets, with all below them: nobody comes to own them (see `reset_fields`)."""
    versions: Versions | None = None
    """The other versions of the object; None: there are none."""

    def entry(self, operation: Literal["Apply", "Update"], fields_v1: Mapping[str, Any]) -> ManagedEntry:
        """Return this writer's entry."""
        return ManagedEntry(
            manager=self.manager,
            operation=operation,
            api_version=self.api_version,
            fields_v1=fields_v1,
            time=format_time(self.wall_s),
            subresource=self.subresource,
        )


def reset_fields(subresource: str, *, has_status: bool) -> FieldSet:
    """Return what an endpoint resets: the object itself its status, `/status` everything else it does not write.

    Upstream: each strategy's GetResetFields.
    """
    if subresource == "status":
        return frozenset({("f:spec",)})
    if subresource == "approval":
        return frozenset({("f:spec",), ("f:status", "f:certificate")})
    return frozenset({("f:status",)}) if not subresource and has_status else NO_FIELDS


def track_update(
    live: Mapping[str, Any] | None, new: Mapping[str, Any], definition: Schema | None, writer: Writer
) -> list[Obj]:
    """Return metadata.managedFields after a create, update or patch from `live` to `new` (defaults filled in).

    A client may write managedFields itself: `[{}]` forgets all owners; what cannot be read is taken from `live`.
    """
    given = metadata(new).get("managedFields")
    if given == _RESET and not writer.subresource:
        return []
    entries = _entries_to_start_with(live, given, writer.subresource)
    if not entries and live is not None and uid_of(live):
        return []
    try:
        if live is None and not entries and definition is not None and definition.own_fields is None:
            tracked = _owned_by_creator(new, definition, writer)
        else:
            tracked = updated_entries(live or {}, new, definition, entries, writer)
    except WalkError:
        tracked = entries
    return encode_entries(tracked)


def _entries_to_start_with(
    live: Mapping[str, Any] | None, given: object, subresource: str
) -> tuple[ManagedEntry, ...]:
    before = metadata(live or {}).get("managedFields")
    kept = _readable(before)
    if subresource or given == before:
        return kept
    return _readable(given, known=kept) or kept


def _readable(managed_fields: object, known: Sequence[ManagedEntry] | None = None) -> tuple[ManagedEntry, ...]:
    """Return the entries, or none when one cannot be read.

    Args:
        managed_fields: metadata.managedFields.
        known: the stored entries, when a client wrote these: what is not among them is read to its leaves.
    """
    try:
        entries = decode_entries(managed_fields)
        if known is not None:
            trees = [entry.fields_v1 for entry in known]
            for entry in entries:
                if entry.fields_v1 not in trees:
                    decode_fields(entry.fields_v1)
    except ManagedFieldsError:
        return ()
    return entries


def _owned_by_creator(new: Mapping[str, Any], definition: Schema, writer: Writer) -> tuple[ManagedEntry, ...]:
    """Return the one entry of a new object of a built-in kind, as `_updated` from nothing to it would."""
    fields_v1 = without_paths(added_fields(new, definition), writer.ignored, below=True)
    fields_v1 = without_paths(fields_v1, NEVER_OWNED)
    return (writer.entry("Update", fields_v1),) if fields_v1 else ()


def updated_entries(
    live: Mapping[str, Any],
    new: Mapping[str, Any],
    definition: Schema | None,
    entries: Sequence[ManagedEntry],
    writer: Writer,
) -> tuple[ManagedEntry, ...]:
    """Return the entries after a change from `live` to `new`.

    Raises:
        WalkError: an object does not fit its schema.
    """
    versions = VersionSet(writer.api_version, definition, writer.versions)
    changes = versions.changes(live, new, entries, writer.ignored)
    lost = {version: change.taken | change.removed for version, change in changes.items()}
    taken = changes[writer.api_version].taken - NEVER_OWNED
    if not taken:
        return cap_updates(without_lost(entries, lost))
    identity = (writer.manager, "Update", writer.api_version, writer.subresource)
    own = next((entry for entry in entries if entry.identity == identity), None)
    left = without_lost([entry for entry in entries if entry is not own], lost)
    return cap_updates([*left, _grown(own, taken, lost[writer.api_version], writer)])


def _grown(own: ManagedEntry | None, taken: FieldSet, lost: FieldSet, writer: Writer) -> ManagedEntry:
    """Return the writer's entry after a change; its fields stay the same tree when it owns them all already."""
    if own is None:
        return writer.entry("Update", encode_fields(taken))
    fields_v1 = without_paths(own.fields_v1, lost - taken)
    new = [path for path in taken if not contains(fields_v1, path)]
    return writer.entry("Update", with_paths(fields_v1, new))


def without_lost(entries: Sequence[ManagedEntry], lost: Mapping[str, FieldSet]) -> list[ManagedEntry]:
    """Return the entries without what was lost, by version; entries that own nothing any more are left out.

    So are entries of versions that are not served.
    """
    remaining = (entry.without(lost[entry.api_version]) for entry in entries if entry.api_version in lost)
    return [entry for entry in remaining if entry.fields_v1]
