"""How the rules of a kind are put together from the checks that are its own.

Every kind validates its metadata first, and again on update together with the fields that never change; what a module
adds for its kinds is only what stands below.
"""

from collections.abc import Callable, Mapping
from itertools import chain, islice
from typing import Any

from minikube_py.api.errors import FAULTS_MAX, FieldError
from minikube_py.api.meta import Obj, copy_object
from minikube_py.api.names import dns_subdomain_faults
from minikube_py.api.resource import Rules
from minikube_py.api.rules.faults import Faults
from minikube_py.api.rules.metadata import NameCheck, validate_metadata, validate_metadata_update

Check = Callable[[Mapping[str, Any]], Faults]
CheckUpdate = Callable[[Mapping[str, Any], Mapping[str, Any]], Faults]


def change_nothing(obj: Obj) -> None:
    """Leave the object as it was given."""


def keep_new(new: Obj, old: Mapping[str, Any]) -> None:
    """Carry nothing over from the old object; the verbs carry the status."""


def find_nothing(obj: Mapping[str, Any]) -> Faults:
    """Find no faults beyond those of the metadata."""
    yield from ()


def allow_every_change(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Find no faults in a change beyond those of the new state."""
    yield from ()


def _first(*faults: Faults) -> tuple[FieldError, ...]:
    """Return the faults, up to FAULTS_MAX: the rest is not looked for."""
    return tuple(islice(chain(*faults), FAULTS_MAX))


def make_rules(
    check: Check = find_nothing,
    check_update: CheckUpdate = allow_every_change,
    *,
    set_defaults: Callable[[Obj], None] = change_nothing,
    prepare_create: Callable[[Obj], None] = change_nothing,
    prepare_update: Callable[[Obj, Mapping[str, Any]], None] = keep_new,
    name_check: NameCheck = dns_subdomain_faults,
) -> Rules:
    """Return the rules of a kind: `check` looks at any state, `check_update` also at where it came from."""

    def validate(obj: Mapping[str, Any]) -> tuple[FieldError, ...]:
        return _first(validate_metadata(obj, name_check), check(obj))

    def validate_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[FieldError, ...]:
        return _first(validate_metadata_update(new, old, name_check), check(new), check_update(new, old))

    return Rules(set_defaults, prepare_create, prepare_update, validate, validate_update)


def convert_rules(
    stored: Rules,
    to_stored: Callable[[Mapping[str, Any]], Obj],
    from_stored: Callable[[Mapping[str, Any]], Obj],
    set_defaults: Callable[[Obj], None] = change_nothing,
) -> Rules:
    """Return the rules of another version of a kind: its own defaults, the stored version's other rules."""

    def replace(obj: Obj, changed: Mapping[str, Any]) -> None:
        shown = from_stored(changed)
        obj.clear()
        obj.update(shown)

    def prepare_create(obj: Obj) -> None:
        changed = copy_object(to_stored(obj))
        stored.prepare_create(changed)
        replace(obj, changed)

    def prepare_update(new: Obj, old: Mapping[str, Any]) -> None:
        changed = copy_object(to_stored(new))
        stored.prepare_update(changed, to_stored(old))
        replace(new, changed)

    return Rules(
        set_defaults,
        prepare_create,
        prepare_update,
        lambda obj: stored.validate(to_stored(obj)),
        lambda new, old: stored.validate_update(to_stored(new), to_stored(old)),
    )


def start_with(status: Mapping[str, Any]) -> Callable[[Obj], None]:
    """Return a prepare_create that gives a new object this status, whatever it came with."""

    def prepare_create(obj: Obj) -> None:
        obj["status"] = copy_object(status)

    return prepare_create


def default(obj: Obj, field: str, value: object) -> None:
    """Set a field that is absent; a zero that was given stays."""
    if obj.get(field) is None:
        obj[field] = value


def default_text(obj: Obj, field: str, value: str) -> None:
    """Set a text that is absent or empty."""
    if not obj.get(field):
        obj[field] = value
