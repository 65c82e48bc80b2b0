"""The options that come with a write: CreateOptions, UpdateOptions, PatchOptions, DeleteOptions.

They stand in the query; a delete may carry them in its body instead. Upstream: apimachinery
apis/meta/v1/validation.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from minikube_py.api.errors import BadRequestError, FieldError, InvalidError, UnnamedError, invalid
from minikube_py.apiserver.routes import is_true

FieldValidation = Literal["Ignore", "Warn", "Strict"]
Propagation = Literal["Background", "Foreground", "Orphan"]

_FIELD_VALIDATIONS = ("", "Ignore", "Strict", "Warn")
_PROPAGATIONS = ("Foreground", "Background", "Orphan")
MANAGER_LENGTH_MAX = 128
APPLY_PATCH = "application/apply-patch+yaml"
_INTEGER = re.compile(r"[-+]?[0-9]+")


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """Options of a create, update or patch."""

    dry_run: bool = False
    field_manager: str = ""
    """Whose change this is: the parameter, else the start of the User-Agent."""
    field_validation: FieldValidation = "Warn"
    force: bool = False
    """Server-side apply takes fields over from other managers."""
    applied: bool = False
    """This is a server-side apply: the owners of the fields are decided already."""
    heavy: bool = False
    """What it does takes long, and is done beside the event loop (see `weight`)."""


@dataclass(frozen=True, slots=True)
class RemovalOptions:
    """Options of a delete; None and empty mean "not given"."""

    dry_run: bool = False
    grace_period_s: int | None = None
    uid: str = ""
    resource_version: str = ""
    propagation: Propagation | None = None


@dataclass(frozen=True, slots=True)
class _GoList:
    """A list of texts as Go's %#v shows it, for messages."""

    values: tuple[str, ...]

    def __str__(self) -> str:
        return "[]string{" + ", ".join(f'"{value}"' for value in self.values) + "}"


def parse_integer(text: str) -> int:
    """Return the number of a query parameter.

    Raises:
        BadRequestError: it is none, with Go's words.
    """
    if not _INTEGER.fullmatch(text):
        raise BadRequestError(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


def parse_write_options(verb: str, query: Mapping[str, str], user_agent: str, patch_type: str = "") -> WriteOptions:
    """Return the options of a create, update or patch.

    Raises:
        InvalidError: a value that is not served.
    """
    is_apply = patch_type == APPLY_PATCH
    if not query and not is_apply:
        return WriteOptions(field_manager=_manager_of(user_agent))
    kind = {"create": "CreateOptions", "update": "UpdateOptions"}.get(verb, "PatchOptions")
    faults = list(_dry_run_faults(query.get("dryRun")))
    validation = query.get("fieldValidation", "")
    if validation not in _FIELD_VALIDATIONS:
        faults.append(
            FieldError(
                "FieldValueNotSupported",
                "fieldValidation",
                'supported values: "", "Ignore", "Strict", "Warn"',
                validation,
            )
        )
    manager = query.get("fieldManager", "")
    if len(manager) > MANAGER_LENGTH_MAX:
        too_long = f"must have at most {MANAGER_LENGTH_MAX} bytes"
        faults.append(FieldError("FieldValueTooLong", "fieldManager", too_long))
    elif not manager.isprintable():
        at = next(at for at, letter in enumerate(manager) if not letter.isprintable())
        unprintable = f"invalid character U+{ord(manager[at]):04X} (at position {at})"
        faults.append(FieldError("FieldValueInvalid", "fieldManager", unprintable, manager))
    if is_apply and not manager:
        faults.append(FieldError("FieldValueRequired", "fieldManager", "is required for apply patch"))
    if not is_apply and verb == "patch" and "force" in query:
        faults.append(FieldError("FieldValueForbidden", "force", "may not be specified for non-apply patch"))
    if faults:
        raise _options_error(kind, tuple(faults))
    checked: FieldValidation = "Ignore" if validation == "Ignore" else "Strict" if validation == "Strict" else "Warn"
    return WriteOptions(
        dry_run="dryRun" in query,
        field_manager=manager or _manager_of(user_agent),
        field_validation=checked,
        force=is_true(query.get("force")),
        applied=is_apply,
    )


def _manager_of(user_agent: str) -> str:
    """Return the manager's name for clients that do not give one: `kubectl` of `kubectl/v1.33 (linux/amd64)`."""
    name = user_agent.split("/", 1)[0].strip()[:MANAGER_LENGTH_MAX]
    if not name.isprintable():
        name = "".join(letter for letter in name if letter.isprintable())
    return name or "unknown"


def _dry_run_faults(dry_run: str | None) -> tuple[FieldError, ...]:
    if dry_run is None or dry_run == "All":
        return ()
    return (FieldError("FieldValueNotSupported", "dryRun", 'supported values: "All"', _GoList((dry_run,))),)


def _options_error(kind: str, faults: tuple[FieldError, ...]) -> InvalidError:
    return invalid("meta.k8s.io", kind, "", faults)


def parse_removal_options(query: Mapping[str, str], body: Mapping[str, Any] | None) -> RemovalOptions:
    """Return the options of a delete, from the body when there is one, else from the query.

    Raises:
        BadRequestError: a number that is none.
        UnnamedError: the body is of another kind.
        InvalidError: a value that is not served.
    """
    given = body if body else _removal_query(query)
    kind = given.get("kind") or "DeleteOptions"
    if kind != "DeleteOptions":
        version = given.get("apiVersion", "")
        raise UnnamedError(f'no kind "{kind}" is registered for version "{version}" among the delete options')
    dry_run = given.get("dryRun") or []
    propagation = given.get("propagationPolicy")
    orphan = given.get("orphanDependents")
    faults = [fault for value in dry_run for fault in _dry_run_faults(str(value))][:1]
    if propagation is not None and orphan is not None:
        faults.append(
            FieldError(
                "FieldValueInvalid",
                "propagationPolicy",
                "orphanDependents and deletionPropagation cannot be both set",
                propagation,
            )
        )
    elif propagation is not None and propagation not in _PROPAGATIONS:
        supported = 'supported values: "Foreground", "Background", "Orphan", "nil"'
        faults.append(FieldError("FieldValueNotSupported", "propagationPolicy", supported, propagation))
    if faults:
        raise _options_error("DeleteOptions", tuple(faults))
    preconditions = given.get("preconditions") or {}
    return RemovalOptions(
        dry_run=bool(dry_run),
        grace_period_s=given.get("gracePeriodSeconds"),
        uid=str(preconditions.get("uid") or ""),
        resource_version=str(preconditions.get("resourceVersion") or ""),
        propagation=_propagation(propagation, orphan),
    )


def shown_removal(options: RemovalOptions) -> dict[str, Any]:
    """Return what admission is told of a delete's options, beside dryRun."""
    shown: dict[str, Any] = {}
    if options.grace_period_s is not None:
        shown["gracePeriodSeconds"] = options.grace_period_s
    given = {"uid": options.uid, "resourceVersion": options.resource_version}
    if any(given.values()):
        shown["preconditions"] = {field: value for field, value in given.items() if value}
    if options.propagation is not None:
        shown["propagationPolicy"] = options.propagation
    return shown


def _propagation(propagation: str | None, orphan: bool | None) -> Propagation | None:
    if propagation == "Foreground":
        return "Foreground"
    if propagation == "Orphan" or orphan is True:
        return "Orphan"
    if propagation == "Background" or orphan is False:
        return "Background"
    return None


def _removal_query(query: Mapping[str, str]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if "dryRun" in query:
        given["dryRun"] = [query["dryRun"]]
    if "gracePeriodSeconds" in query:
        given["gracePeriodSeconds"] = parse_integer(query["gracePeriodSeconds"])
    if "propagationPolicy" in query:
        given["propagationPolicy"] = query["propagationPolicy"]
    if "orphanDependents" in query:
        given["orphanDependents"] = is_true(query["orphanDependents"])
    return given
