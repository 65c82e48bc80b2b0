"""API errors: upstream's reasons, codes and messages, as exceptions and as Status objects.

Upstream: apimachinery api/errors and util/validation/field. Rules return `FieldError`s for users' mistakes; verbs
turn them into one `InvalidError`. `io/` turns any StatusError into the JSON Status that clients know, and a
client turns such a Status back into the same exception.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import orjson

from minikube_py.api.meta import Obj

CauseReason = Literal[
    "FieldValueNotFound",
    "FieldValueRequired",
    "FieldValueDuplicate",
    "FieldValueInvalid",
    "FieldValueNotSupported",
    "FieldValueForbidden",
    "FieldValueTooLong",
    "FieldValueTooMany",
    "FieldValueTypeInvalid",
    "InternalError",
]

_MESSAGE_PREFIX: Mapping[str, str] = {
    "FieldValueNotFound": "Not found",
    "FieldValueRequired": "Required value",
    "FieldValueDuplicate": "Duplicate value",
    "FieldValueInvalid": "Invalid value",
    "FieldValueNotSupported": "Unsupported value",
    "FieldValueForbidden": "Forbidden",
    "FieldValueTooLong": "Too long",
    "FieldValueTooMany": "Too many",
    "FieldValueTypeInvalid": "Invalid value",
    "InternalError": "Internal error",
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault in one field: `field` is upstream's path (`spec.containers[0].image`)."""

    reason: CauseReason
    field: str
    detail: str = ""
    value: object = None
    """Shown in the message for Duplicate, Invalid, NotSupported and NotFound; None is not shown."""

    def body(self) -> str:
        """Return the message without the field, as a Status cause carries it."""
        text = _MESSAGE_PREFIX[self.reason]
        if self.value is not None and self.reason not in ("FieldValueRequired", "FieldValueForbidden"):
            text += f": {_show(self.value)}"
        return f"{text}: {self.detail}" if self.detail else text

    def __str__(self) -> str:
        return f"{self.field}: {self.body()}"


def _show(value: object) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    return str(value)


class StatusError(Exception):
    """An answer that is not a success; `to_status` gives what goes over the wire."""

    code: ClassVar[int] = 500
    reason: ClassVar[str] = "InternalError"

    def __init__(self, message: str, details: Obj | None = None, retry_after_s: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.details: Obj = details or {}
        self.retry_after_s = retry_after_s
        self.warnings: tuple[str, ...] = ()
        """What the client is warned of beside."""


class BadRequestError(StatusError):
    """400: the request itself cannot be understood."""

    code, reason = 400, "BadRequest"


class UnauthorizedError(StatusError):
    """401: no valid credentials."""

    code, reason = 401, "Unauthorized"


class ForbiddenError(StatusError):
    """403: this user may not, or this object must not."""

    code, reason = 403, "Forbidden"


class NotFoundError(StatusError):
    """404: no such object, resource or path."""

    code, reason = 404, "NotFound"


class MethodNotSupportedError(StatusError):
    """405: the path is known, the verb is not."""

    code, reason = 405, "MethodNotAllowed"


class NotAcceptableError(StatusError):
    """406: no media type that the client accepts can be served."""

    code, reason = 406, "NotAcceptable"


class AlreadyExistsError(StatusError):
    """409: an object with this name is there."""

    code, reason = 409, "AlreadyExists"


class ConflictError(StatusError):
    """409: the object changed meanwhile, or a precondition fails."""

    code, reason = 409, "Conflict"


class GoneError(StatusError):
    """410: the resource version asked for is compacted."""

    code, reason = 410, "Expired"


class TooLargeError(StatusError):
    """413: the body is over the limit."""

    code, reason = 413, "RequestEntityTooLarge"


class UnsupportedMediaTypeError(StatusError):
    """415: the body's content type is not served."""

    code, reason = 415, "UnsupportedMediaType"


class InvalidError(StatusError):
    """422: the object is understood, and wrong."""

    code, reason = 422, "Invalid"


class TooManyRequestsError(StatusError):
    """429: try again later."""

    code, reason = 429, "TooManyRequests"


class InternalError(StatusError):
    """500: our fault."""

    code, reason = 500, "InternalError"


class UnnamedError(InternalError):
    """500 without a reason: the cases in which upstream lets a plain error of its insides through."""

    reason = ""


class UnavailableError(StatusError):
    """503: try again later; nothing was changed."""

    code, reason = 503, "ServiceUnavailable"


class TimeoutStatusError(StatusError):
    """504: the answer did not come in time (upstream's reason is Timeout)."""

    code, reason = 504, "Timeout"


_BY_REASON: Mapping[str, type[StatusError]] = {
    cls.reason: cls
    for cls in (
        BadRequestError,
        UnauthorizedError,
        ForbiddenError,
        NotFoundError,
        MethodNotSupportedError,
        NotAcceptableError,
        AlreadyExistsError,
        ConflictError,
        GoneError,
        TooLargeError,
        UnsupportedMediaTypeError,
        InvalidError,
        TooManyRequestsError,
        InternalError,
        UnavailableError,
        TimeoutStatusError,
    )
}


def _qualified(resource: str, group: str) -> str:
    return f"{resource}.{group}" if group else resource


def _details(name: str, group: str, kind: str) -> Obj:
    details: Obj = {}
    if name:
        details["name"] = name
    if group:
        details["group"] = group
    details["kind"] = kind
    return details


def not_found(group: str, plural: str, name: str) -> NotFoundError:
    """Return upstream's `pods "x" not found`."""
    return NotFoundError(f'{_qualified(plural, group)} "{name}" not found', _details(name, group, plural))


def already_exists(group: str, plural: str, name: str) -> AlreadyExistsError:
    """Return upstream's `pods "x" already exists`."""
    return AlreadyExistsError(f'{_qualified(plural, group)} "{name}" already exists', _details(name, group, plural))


def conflict(group: str, plural: str, name: str, why: str) -> ConflictError:
    """Return upstream's `Operation cannot be fulfilled on pods "x": why`."""
    return ConflictError(
        f'Operation cannot be fulfilled on {_qualified(plural, group)} "{name}": {why}',
        _details(name, group, plural),
    )


MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"
"""Upstream's words for a stale resourceVersion; kubectl and client-go look at the reason, people at this."""


FAULTS_MAX = 1000
"""So many faults of one object are told; an object can be made to have a million."""


def invalid(group: str, kind: str, name: str, errors: Sequence[FieldError]) -> InvalidError:
    """Return upstream's `Pod "x" is invalid: field: message` with one cause for each fault."""
    errors = errors[:FAULTS_MAX]
    shown = str(errors[0]) if len(errors) == 1 else "[" + ", ".join(map(str, errors)) + "]"
    details = _details(name, group, kind)
    details["causes"] = [{"reason": e.reason, "message": e.body(), "field": e.field} for e in errors]
    return InvalidError(f'{_qualified(kind, group)} "{name}" is invalid: {shown}', details)


def forbidden(group: str, plural: str, name: str, why: str) -> ForbiddenError:
    """Return upstream's `pods "x" is forbidden: why`."""
    quoted = f' "{name}"' if name else ""
    return ForbiddenError(f"{_qualified(plural, group)}{quoted} is forbidden: {why}", _details(name, group, plural))


def to_status(error: StatusError) -> Obj:
    """Return the metav1.Status that clients get for `error`."""
    details = dict(error.details)
    if error.retry_after_s:
        details["retryAfterSeconds"] = error.retry_after_s
    status: Obj = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": error.message,
        "reason": error.reason,
        "code": error.code,
    }
    if details:
        status["details"] = details
    return status


def from_status(status: Mapping[str, Any]) -> StatusError:
    """Return the exception for a Status that a server sent (the inverse of to_status)."""
    details = dict(status.get("details") or {})
    retry_after_s = int(details.pop("retryAfterSeconds", 0))
    cls = _BY_REASON.get(str(status.get("reason", "")))
    if cls is None:
        code = int(status.get("code") or 500)
        cls = next((c for c in _BY_REASON.values() if c.code == code), InternalError)
    return cls(str(status.get("message", "")), details, retry_after_s)
