"""Server-side apply: a configuration is merged into an object on behalf of a manager.

Fields that another manager owns with another value are conflicts, unless forced; fields that this manager owned and
no longer names go, unless somebody else owns them. Of an object that has no owners on record all that was there is
booked on "before-first-apply". Who owns what after any other write: `field_owners`.

Upstream: structured-merge-diff merge/update.go; apimachinery util/managedfields/internal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from minikube_py.api.errors import BadRequestError, ConflictError, UnnamedError
from minikube_py.api.field_owners import Writer, updated_entries, without_lost
from minikube_py.api.field_paths import (
    NO_FIELDS,
    ManagedFieldsError,
    Path,
    encode_fields,
    path_text,
)
from minikube_py.api.json_values import is_same_json
from minikube_py.api.last_applied import last_applied_fields, sync_last_applied
from minikube_py.api.managed_fields import (
    NEVER_OWNED,
    ManagedEntry,
    decode_entries,
    encode_entries,
)
from minikube_py.api.meta import Obj, copy_object, metadata, name_of, namespace_of
from minikube_py.api.schema import Schema
from minikube_py.api.typed_check import check_types
from minikube_py.api.typed_merge import merge, without_nulls
from minikube_py.api.typed_walk import WalkError, field_set, outside
from minikube_py.api.versioned_fields import VersionSet, prune

BEFORE_FIRST_APPLY = "before-first-apply"
_KUBECTL = "kubectl"


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
            entries = updated_entries({}, start, definition, (), first)
        result, conflicts, tracked = _applied(start, config, definition, entries, writer)
    except WalkError as fault:
        raise UnnamedError(f"failed to create typed live object: {fault}") from fault
    if conflicts and not force:
        _check_conflicts(start, definition, writer, conflicts)
    tracked = [entry.without(frozenset(c.path for c in conflicts if c.entry == entry)) for entry in tracked]
    if live is not None and is_same_json(start, result):
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
    others = without_lost(others, {version: change.removed for version, change in changes.items()})
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
