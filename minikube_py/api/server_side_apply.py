"""Server-side apply, and the record of owners that every other write keeps.

`apply` merges a configuration into an object on behalf of a manager: fields that another manager owns with another
value are conflicts, unless forced; fields that this manager owned and no longer names go, unless somebody else owns
them. `track_update` says who owns what after any other write: whoever changed a field has it, everybody else lost it.

An object that has no owners on record (somebody reset them with `[{}]`) stays so until the next apply, which books
all that was there on "before-first-apply".

Upstream: structured-merge-diff merge/update.go; apimachinery util/managedfields/internal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from minikube_py.api.added_fields import added_fields
from minikube_py.api.errors import BadRequestError, ConflictError, UnnamedError
from minikube_py.api.field_paths import (
    NO_FIELDS,
    FieldSet,
    ManagedFieldsError,
    Path,
    contains,
    encode_fields,
    path_text,
    with_paths,
    without_paths,
)
from minikube_py.api.last_applied import last_applied_fields, sync_last_applied
from minikube_py.api.managed_fields import (
    NEVER_OWNED,
    ManagedEntry,
    cap_updates,
    decode_entries,
    encode_entries,
)
from minikube_py.api.meta import Obj, copy_object, format_time, metadata, name_of, namespace_of, uid_of
from minikube_py.api.schema import Schema
from minikube_py.api.typed_check import check_types
from minikube_py.api.typed_merge import merge, without_nulls
from minikube_py.api.typed_walk import WalkError, field_set, outside
from minikube_py.api.versioned_fields import Versions, VersionSet, prune

BEFORE_FIRST_APPLY = "before-first-apply"
_KUBECTL = "kubectl"
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
            tracked = _owned_by_creator(_bare(new), definition, writer)
        else:
            tracked = _updated(_bare(live or {}), _bare(new), definition, entries, writer)
    except WalkError:
        tracked = entries
    return encode_entries(tracked)


def _entries_to_start_with(
    live: Mapping[str, Any] | None, given: object, subresource: str
) -> tuple[ManagedEntry, ...]:
    for source in ((given,) if not subresource else ()) + (metadata(live or {}).get("managedFields"),):
        try:
            entries = decode_entries(source)
        except ManagedFieldsError:
            continue
        if entries:
            return entries
    return ()


def _owned_by_creator(new: Obj, definition: Schema, writer: Writer) -> tuple[ManagedEntry, ...]:
    """Return the one entry of a new object of a built-in kind, as `_updated` from nothing to it would."""
    fields_v1 = without_paths(added_fields(new, definition), writer.ignored, below=True)
    fields_v1 = without_paths(fields_v1, NEVER_OWNED)
    return (writer.entry("Update", fields_v1),) if fields_v1 else ()


def _updated(
    live: Obj, new: Obj, definition: Schema | None, entries: Sequence[ManagedEntry], writer: Writer
) -> tuple[ManagedEntry, ...]:
    versions = VersionSet(writer.api_version, definition, writer.versions)
    changes = versions.changes(live, new, entries, writer.ignored)
    lost = {version: change.taken | change.removed for version, change in changes.items()}
    taken = changes[writer.api_version].taken - NEVER_OWNED
    if not taken:
        return cap_updates(_without(entries, lost))
    identity = (writer.manager, "Update", writer.api_version, writer.subresource)
    own = next((entry for entry in entries if entry.identity == identity), None)
    left = _without([entry for entry in entries if entry is not own], lost)
    return cap_updates([*left, _grown(own, taken, lost[writer.api_version], writer)])


def _grown(own: ManagedEntry | None, taken: FieldSet, lost: FieldSet, writer: Writer) -> ManagedEntry:
    """Return the writer's entry after a change; its fields stay the same tree when it owns them all already."""
    if own is None:
        return writer.entry("Update", encode_fields(taken))
    fields_v1 = without_paths(own.fields_v1, lost - taken)
    new = [path for path in taken if not contains(fields_v1, path)]
    return writer.entry("Update", with_paths(fields_v1, new))


def _without(entries: Sequence[ManagedEntry], lost: Mapping[str, FieldSet]) -> list[ManagedEntry]:
    """Return the entries without what was lost, by version; entries that own nothing any more are left out.

    So are entries of versions that are not served.
    """
    remaining = (entry.without(lost[entry.api_version]) for entry in entries if entry.api_version in lost)
    return [entry for entry in remaining if entry.fields_v1]


def _bare(obj: Mapping[str, Any]) -> Obj:
    """Return the object without managedFields, which are not a field that anybody owns."""
    meta = {key: value for key, value in metadata(obj).items() if key != "managedFields"}
    return {**obj, "metadata": meta}


@dataclass(frozen=True, slots=True)
class _Conflict:
    entry: ManagedEntry
    path: Path

    @property
    def manager(self) -> str:
        """Return the manager as messages name it."""
        text = f'"{self.entry.manager}"'
        if self.entry.subresource:
            text += f' with subresource "{self.entry.subresource}"'
        return f"{text} using {self.entry.api_version}" if self.entry.operation == "Update" else text


def apply(
    live: Mapping[str, Any] | None,
    applied: Mapping[str, Any],
    definition: Schema | None,
    writer: Writer,
    *,
    force: bool,
) -> Obj:
    """Return the object after `applied` has been merged into it, with its new managedFields; defaults are not set.

    Nothing but times differs from `live` when the apply changes nothing.

    Args:
        live: the stored object; None creates one.
        applied: the configuration, with apiVersion and kind.
        definition: the kind's Schema; None treats lists as atomic.
        writer: who applies.
        force: take fields over from other managers.

    Raises:
        BadRequestError: the configuration is of another version or has managedFields.
        ConflictError: others own fields with other values; a cause names each.
        UnnamedError: the configuration does not fit the schema (upstream answers 500).
    """
    config = _checked_config(applied, definition, writer)
    start = _bare(live) if live is not None else {key: applied.get(key) for key in ("apiVersion", "kind")}
    entries = _live_entries(live)
    try:
        if live is not None and not entries:
            first = replace(writer, manager=BEFORE_FIRST_APPLY)
            entries = _updated({}, start, definition, (), first)
        result, conflicts, tracked = _applied(start, config, definition, entries, writer)
    except WalkError as fault:
        raise UnnamedError(f"failed to create typed live object: {fault}") from fault
    if conflicts and not force:
        _check_conflicts(start, definition, writer, conflicts)
    tracked = [entry.without(frozenset(c.path for c in conflicts if c.entry == entry)) for entry in tracked]
    if live is not None and result == start:
        result = copy_object(start)
        tracked = _with_old_times(tracked, entries)
    if writer.manager == _KUBECTL:
        sync_last_applied(result, applied, live)
    managed = encode_entries(entry for entry in tracked if entry.fields_v1)
    meta = result.setdefault("metadata", {})
    if managed:
        meta["managedFields"] = managed
    return result


def _checked_config(applied: Mapping[str, Any], definition: Schema | None, writer: Writer) -> Obj:
    version = applied.get("apiVersion") or ""
    if version != writer.api_version:
        raise BadRequestError(
            "Incorrect version specified in apply patch."
            f" Specified patch version: {version}, expected: {writer.api_version}"
        )
    if metadata(applied).get("managedFields") is not None:
        raise BadRequestError("metadata.managedFields must be nil")
    config = copy_object(applied)
    try:
        check_types(config, definition)
    except WalkError as fault:
        where = f"{namespace_of(applied)}/{name_of(applied)}; {_group_version_kind(applied)}"
        raise UnnamedError(f"failed to create typed patch object ({where}): {fault}") from fault
    return config


def _group_version_kind(obj: Mapping[str, Any]) -> str:
    return f"{obj.get('apiVersion', '')}, Kind={obj.get('kind', '')}"


def _live_entries(live: Mapping[str, Any] | None) -> tuple[ManagedEntry, ...]:
    try:
        return decode_entries(metadata(live or {}).get("managedFields"))
    except ManagedFieldsError as fault:
        raise UnnamedError(f"failed to decode managed fields: {fault}") from fault


def _applied(
    start: Obj, config: Obj, definition: Schema | None, entries: Sequence[ManagedEntry], writer: Writer
) -> tuple[Obj, list[_Conflict], list[ManagedEntry]]:
    """Merge and prune; returns the object, the conflicts, and the entries without what was removed."""
    ours = outside(field_set(config, definition), writer.ignored)
    mine = writer.entry("Apply", encode_fields(ours))
    last = next((entry for entry in entries if entry.identity == mine.identity), None)
    others = [entry for entry in entries if entry is not last]
    versions = VersionSet(writer.api_version, definition, writer.versions)
    merged: Obj = merge(start, config, definition)
    if last is not None:
        merged = prune(merged, last, (mine, *others), versions)
    result: Obj = without_nulls(merged)
    changes = versions.changes(start, result, others, writer.ignored)
    others = _without(others, {version: change.removed for version, change in changes.items()})
    conflicts = [
        _Conflict(entry, path) for entry in others for path in sorted(entry.fields & changes[entry.api_version].taken)
    ]
    return result, conflicts, [*others, replace(mine, fields_v1=encode_fields(ours - NEVER_OWNED))]


def _check_conflicts(start: Obj, definition: Schema | None, writer: Writer, conflicts: Sequence[_Conflict]) -> None:
    """Raise unless all conflicts are of kubectl with its own client-side apply of earlier times."""
    allowed = last_applied_fields(start, definition) if writer.manager == _KUBECTL else NO_FIELDS
    open_conflicts = [conflict for conflict in conflicts if conflict.path not in allowed]
    if not open_conflicts:
        return
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {c.manager}", "field": path_text(c.path)}
        for c in open_conflicts
    ]
    raise ConflictError(_conflict_text(open_conflicts), {"causes": causes})


def _conflict_text(conflicts: Sequence[_Conflict]) -> str:
    if len(conflicts) == 1:
        return f"Apply failed with 1 conflict: conflict with {conflicts[0].manager}: {path_text(conflicts[0].path)}"
    lines = []
    for manager in sorted({conflict.manager for conflict in conflicts}):
        lines.append(f"conflicts with {manager}:")
        lines += [f"- {path_text(c.path)}" for c in conflicts if c.manager == manager]
    return f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(lines)


def _with_old_times(tracked: Sequence[ManagedEntry], before: Sequence[ManagedEntry]) -> list[ManagedEntry]:
    """Keep the time of entries whose fields stayed the same."""
    known = {entry.identity: entry for entry in before}
    return [
        replace(entry, time=known[entry.identity].time)
        if entry.identity in known and known[entry.identity].fields == entry.fields
        else entry
        for entry in tracked
    ]
