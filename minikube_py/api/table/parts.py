"""What many rows share: subresources, readers of fields for selectors, and rules that are loaded when first used.

Importing the rules of every kind would cost each start 20 ms and 1 MB, and most clusters never see most of the kinds.
A row of a group that is seldom used therefore names its rules (`rules_in`); they are imported with the first object.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from minikube_py.api.meta import Obj
from minikube_py.api.resource import Fields, Rules, Subresource

NEUTRAL = Rules(
    set_defaults=lambda obj: None,
    prepare_create=lambda obj: None,
    prepare_update=lambda new, old: None,
    validate=lambda obj: (),
    validate_update=lambda new, old: (),
)
"""Rules for a resource that has none of its own: what is computed is checked where it is computed."""


@cache
def _load(folder: str, module: str, name: str) -> Rules:
    found = getattr(import_module(f"minikube_py.api.{folder}.{module}"), name)
    assert isinstance(found, Rules), (folder, module, name)
    return found


def rules_in(module: str, name: str, folder: str = "rules") -> Rules:
    """Return the rules called `name` in `api/<folder>/<module>.py`, imported when one of them is first used."""
    return Rules(
        set_defaults=lambda obj: _load(folder, module, name).set_defaults(obj),
        prepare_create=lambda obj: _load(folder, module, name).prepare_create(obj),
        prepare_update=lambda new, old: _load(folder, module, name).prepare_update(new, old),
        validate=lambda obj: _load(folder, module, name).validate(obj),
        validate_update=lambda new, old: _load(folder, module, name).validate_update(new, old),
    )


def status_rules_in(
    module: str, name: str = "validate_status"
) -> Callable[[Mapping[str, Any], Mapping[str, Any]], Fields]:
    """Return the rule for updates through /status called `name` in `api/rules/<module>.py`, imported when used."""

    def validate_status(new: Mapping[str, Any], old: Mapping[str, Any]) -> Fields:
        found = getattr(import_module(f"minikube_py.api.rules.{module}"), name)
        return tuple(found(new, old))

    return validate_status


def prepare_status_in(module: str, name: str = "prepare_status") -> Callable[[Obj, Mapping[str, Any], float], None]:
    """Return what an update through /status implies, from `api/rules/<module>.py`, imported when used."""

    def prepare_status(new: Obj, old: Mapping[str, Any], wall_s: float) -> None:
        getattr(import_module(f"minikube_py.api.rules.{module}"), name)(new, old, wall_s)

    return prepare_status


def warnings_in(module: str, name: str) -> Callable[[Mapping[str, Any], Mapping[str, Any] | None], Iterable[str]]:
    """Return what writers are warned of, called `name` in `api/rules/<module>.py`, imported when used."""

    def warn(new: Mapping[str, Any], old: Mapping[str, Any] | None) -> Iterable[str]:
        found: Iterable[str] = getattr(import_module(f"minikube_py.api.rules.{module}"), name)(new, old)
        return found

    return warn


CHANGE_VERBS = ("get", "patch", "update")
SCALE = Subresource("scale", "Scale", CHANGE_VERBS, group="autoscaling", version="v1")

PROXY_VERBS = ("create", "delete", "get", "patch", "update")

FieldSelectors = dict[str, Callable[[Mapping[str, Any]], str]]


def status(kind: str) -> Subresource:
    """Return the status subresource of a kind."""
    return Subresource("status", kind, CHANGE_VERBS)


def proxy(kind: str) -> Subresource:
    """Return the proxy subresource whose options are of a kind."""
    return Subresource("proxy", kind, PROXY_VERBS)


def select(*paths: str) -> FieldSelectors:
    """Return selectors by the texts at these paths; what is absent is an empty text."""
    return {path: _reader(tuple(path.split("."))) for path in paths}


def _reader(fields: tuple[str, ...]) -> Callable[[Mapping[str, Any]], str]:
    def read(obj: Mapping[str, Any]) -> str:
        value: Any = obj
        for field in fields:
            value = value.get(field) if isinstance(value, Mapping) else None
        return "" if value is None else str(value)

    return read


def select_number(path: str) -> FieldSelectors:
    """Return a selector by the number at a path; what is absent is 0."""
    read = _reader(tuple(path.split(".")))
    return {path: lambda obj: read(obj) or "0"}


def select_flag(path: str) -> FieldSelectors:
    """Return a selector by the truth at a path; what is absent is false."""
    read = _reader(tuple(path.split(".")))
    return {path: lambda obj: "true" if read(obj) == "True" else "false"}
