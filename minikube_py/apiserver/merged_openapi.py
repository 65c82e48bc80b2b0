"""OpenAPI v2 of other servers, to be put into this server's one document.

Of another server's document its own group version counts: the paths under it, and the definitions that these need. A
definition that has a name of ours stands under the same name when it says the same, else under a new one (`x_v2`),
and all that points to it follows.

Upstream: kube-openapi pkg/aggregator (FilterSpecByPaths, MergeSpecsIgnorePathConflictRenamingDefinitions).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from minikube_py.api.meta import Obj
from minikube_py.apiserver.foreign_openapi import tidy_path, tidy_schema

_POINTER = "#/definitions/"
Part = tuple[Obj, Obj]
"""Paths and definitions, by name."""


@dataclass(frozen=True, slots=True, eq=False)
class OtherSpecs:
    """The parts of all other servers; one value stands for one state of them."""

    parts: tuple[Part, ...]


NOTHING_ELSE = OtherSpecs(())


def together(parts: tuple[Part, ...]) -> OtherSpecs:
    """Return parts as one value."""
    return OtherSpecs(parts) if parts else NOTHING_ELSE


def own_part(document: Mapping[str, Any], path: str) -> Part | None:
    """Return what a Swagger document has under `path` (`/apis/G/V`), or None when it has nothing."""
    all_paths, all_definitions = document.get("paths"), document.get("definitions")
    if not isinstance(all_paths, Mapping) or not isinstance(all_definitions, Mapping):
        return None
    shared = document.get("parameters")
    shared = shared if isinstance(shared, Mapping) else {}
    paths = {name: tidy_path(item, shared) for name, item in all_paths.items() if name.startswith(f"{path}/")}
    group, _, version = path.removeprefix("/apis/").rpartition("/")
    waiting = [
        name
        for name, definition in all_definitions.items()
        if isinstance(definition, Mapping) and _is_kind_of(definition, group, version)
    ]
    waiting += _pointers(paths)
    needed: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in all_definitions and name not in needed:
            needed.add(name)
            waiting += _pointers(all_definitions[name])
    definitions = {name: tidy_schema(all_definitions[name]) for name in sorted(needed)}
    return (paths, definitions) if paths else None


def _is_kind_of(definition: Mapping[str, Any], group: str, version: str) -> bool:
    kinds = definition.get("x-kubernetes-group-version-kind") or ()
    return any(isinstance(k, Mapping) and (k.get("group"), k.get("version")) == (group, version) for k in kinds)


def _pointers(value: Any) -> set[str]:
    found: set[str] = set()
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            pointer = item.get("$ref")
            if isinstance(pointer, str) and pointer.startswith(_POINTER):
                found.add(pointer.removeprefix(_POINTER))
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return found


def merge_parts(specs: OtherSpecs, own: Mapping[str, Any]) -> Part:
    """Return all parts as one: paths, and the definitions that are to stand beside `own` ones."""
    paths: Obj = {}
    definitions: Obj = {}
    for part_paths, part_definitions in specs.parts:
        new_names = {
            name: _name_for(name, definition, own, definitions) for name, definition in part_definitions.items()
        }
        renamed = {old: new for old, new in new_names.items() if old != new}
        for name, definition in part_definitions.items():
            if new_names[name] not in own:
                definitions.setdefault(new_names[name], _follow(definition, renamed))
        for path, item in part_paths.items():
            paths.setdefault(path, _follow(item, renamed))
    return paths, definitions


def _name_for(name: str, definition: Any, own: Mapping[str, Any], taken: Mapping[str, Any]) -> str:
    number, candidate = 1, name
    while True:
        there = own.get(candidate, taken.get(candidate))
        if there is None or there == definition:
            return candidate
        number += 1
        candidate = f"{name}_v{number}"


def _follow(value: Any, renamed: Mapping[str, str]) -> Any:
    """Return a copy whose pointers lead to the new names."""
    if not renamed:
        return value
    if isinstance(value, Mapping):
        copy = {key: _follow(item, renamed) for key, item in value.items()}
        pointer = copy.get("$ref")
        if isinstance(pointer, str) and pointer.startswith(_POINTER):
            name = pointer.removeprefix(_POINTER)
            copy["$ref"] = _POINTER + renamed.get(name, name)
        return copy
    return [_follow(item, renamed) for item in value] if isinstance(value, list) else value
