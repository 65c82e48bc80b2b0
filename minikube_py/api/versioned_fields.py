"""Owners that wrote in different versions of an object: each version's fields are compared in that version.

An entry of managedFields has paths of the version that its manager wrote in; the same change of an autoscaler is
`f:targetCPUUtilizationPercentage` for who speaks autoscaling/v1 and an element of `f:metrics` for who speaks v2. So a
change is looked at once in each version that somebody owns something in, and what an applier gives up is taken out in
the version that he last applied, with what others own put back in theirs.

Upstream: structured-merge-diff merge/update.go (update, prune, addBackOwnedItems, addBackDanglingItems).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from minikube_py.api.field_paths import NO_FIELDS, FieldSet
from minikube_py.api.managed_fields import ManagedEntry
from minikube_py.api.meta import Obj
from minikube_py.api.schema import Schema
from minikube_py.api.typed_merge import remove, with_named_fields
from minikube_py.api.typed_walk import Changes, compare, field_set

Convert: TypeAlias = Callable[[Mapping[str, Any]], Obj]


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """Another version of an object: its schema, and how an object gets there from the writer's version and back."""

    definition: Schema | None
    there: Convert
    back: Convert


Versions: TypeAlias = Callable[[str], ObjectVersion | None]
"""apiVersion -> that version, None when it is not served (any more): what was owned in it is forgotten."""


def _unchanged(obj: Mapping[str, Any]) -> Obj:
    return dict(obj)


@dataclass(frozen=True, slots=True)
class VersionSet:
    """The versions that entries can be in, seen from the writer's."""

    api_version: str
    """The writer's."""
    definition: Schema | None
    others: Versions | None = None
    """None: all entries are read as if they were of the writer's version."""

    def find(self, api_version: str) -> ObjectVersion | None:
        """Return a version, None when it is not served."""
        if api_version == self.api_version or self.others is None:
            return ObjectVersion(self.definition, _unchanged, _unchanged)
        return self.others(api_version)

    def served(self, entries: Iterable[ManagedEntry]) -> list[ManagedEntry]:
        """Return the entries whose version is known."""
        return [entry for entry in entries if self.find(entry.api_version) is not None]

    def changes(
        self, before: Mapping[str, Any], after: Mapping[str, Any], entries: Iterable[ManagedEntry], ignored: FieldSet
    ) -> Mapping[str, Changes]:
        """Return what a write changes, by the version in which it is looked at: the writer's and all of the entries'.

        Raises:
            WalkError: an object does not fit its schema.
        """
        names = dict.fromkeys([self.api_version, *(entry.api_version for entry in entries)])
        if self.others is None:
            return dict.fromkeys(names, compare(before, after, self.definition).ignoring(ignored))
        found: dict[str, Changes] = {}
        for name in names:
            version = self.find(name)
            if version is not None:
                there = compare(version.there(before), version.there(after), version.definition)
                found[name] = there.ignoring(ignored)
        return found


def prune(merged: Obj, last: ManagedEntry, owners: Sequence[ManagedEntry], versions: VersionSet) -> Obj:
    """Take out of an object what an applier owned last time and nobody of `owners` owns now.

    Raises:
        WalkError: an object does not fit its schema.
    """
    owned: dict[str, FieldSet] = {}
    for entry in owners:
        owned[entry.api_version] = owned.get(entry.api_version, NO_FIELDS) | entry.fields
    there = versions.find(last.api_version)
    if there is None or last.fields <= owned.get(last.api_version, NO_FIELDS):
        return merged
    pruned = there.back(remove(there.there(merged), _named(last.fields, there), there.definition))
    for name in sorted(owned, key=lambda name: (name != last.api_version, name)):
        version = versions.find(name)
        if version is not None:
            pruned = _put_back(merged, pruned, owned[name], version)
    whole, left = there.there(merged), there.there(pruned)
    gone = (_members(whole, there) - _members(left, there)) & _named(last.fields, there)
    return there.back(remove(whole, gone, there.definition))


def _put_back(merged: Obj, pruned: Obj, owned: FieldSet, version: ObjectVersion) -> Obj:
    """Return the pruned object with what others own in it."""
    whole, left = version.there(merged), version.there(pruned)
    gone = _members(whole, version) - (_members(left, version) | _named(owned, version))
    return version.back(remove(whole, gone, version.definition))


def _named(fields: FieldSet, version: ObjectVersion) -> FieldSet:
    return with_named_fields(fields, version.definition)


def _members(obj: Any, version: ObjectVersion) -> FieldSet:
    return _named(field_set(obj, version.definition), version) if obj is not None else NO_FIELDS
