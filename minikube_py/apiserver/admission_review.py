"""AdmissionReview: the question to a webhook, and what its answer means.

Upstream: apiserver admission/plugin/webhook/{request,errors}.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from minikube_py.api.decode import expected_of
from minikube_py.api.errors import BadRequestError, InternalError, StatusError, TooLargeError
from minikube_py.api.meta import Obj
from minikube_py.api.resource import Resource
from minikube_py.api.value_count import check_values
from minikube_py.apiserver.admission import Attributes
from minikube_py.apiserver.users import render_user

REVIEW_VERSION = "admission.k8s.io/v1"
WARNING_LENGTH_MAX = 256
"""Longer warnings of a webhook are cut (upstream does so when they are many)."""
_WEBHOOKS = "webhook.admission.k8s.io/"
_MUTATION = f"mutation.{_WEBHOOKS}"
_PATCH = f"patch.{_WEBHOOKS}"
_OPTIONS: Mapping[str, str] = {"CREATE": "CreateOptions", "UPDATE": "UpdateOptions", "DELETE": "DeleteOptions"}


class DeniedError(StatusError):
    """A refusal with the code and the reason that whoever refused has chosen."""

    def __init__(self, message: str, code: int, reason: str, details: Obj | None = None) -> None:
        super().__init__(message, details)
        self._code, self._reason = code, reason

    @property
    def code(self) -> int:  # type: ignore[override]  # every other error has one code
        """Return the HTTP code."""
        return self._code

    @property
    def reason(self) -> str:  # type: ignore[override]
        """Return the reason, perhaps none."""
        return self._reason


@dataclass(frozen=True, slots=True)
class Review:
    """What a webhook answered."""

    patch: bytes = b""
    """A JSON patch; empty: the object stays."""
    warnings: tuple[str, ...] = ()
    audit_annotations: tuple[tuple[str, str], ...] = ()
    denied: DeniedError | None = None
    """Why it refuses; None: it allows."""


def request_of(attributes: Attributes, row: Resource, uid: str) -> Obj:
    """Return an AdmissionRequest without the objects; `row` is the version in which the rules match."""
    asked, requested = _names(row, attributes.subresource), _names(attributes.resource, attributes.subresource)
    request: Obj = {
        "uid": uid,
        "kind": asked[0],
        "resource": asked[1],
        "requestKind": requested[0],
        "requestResource": requested[1],
        "name": attributes.name,
        "operation": attributes.operation,
        "userInfo": render_user(attributes.user),
        "dryRun": attributes.dry_run,
        "options": _options(attributes),
    }
    if attributes.subresource:
        request |= {"subResource": attributes.subresource, "requestSubResource": attributes.subresource}
    if attributes.namespace:
        request["namespace"] = attributes.namespace
    return request


def _options(attributes: Attributes) -> Obj | None:
    kind = _OPTIONS.get(attributes.operation)
    if kind is None:
        return None
    dry_run: Obj = {"dryRun": ["All"]} if attributes.dry_run else {}
    return {"kind": kind, "apiVersion": "meta.k8s.io/v1", **attributes.options, **dry_run}


def _names(row: Resource, subresource: str) -> tuple[Obj, Obj]:
    expected = expected_of(row, subresource)
    group, _, version = expected.api_version.rpartition("/")
    kind = {"group": group, "version": version, "kind": expected.kind}
    return kind, {"group": row.group, "version": row.version, "resource": row.plural}


def admission_review(request: Obj, new: Mapping[str, Any] | None, old: Mapping[str, Any] | None) -> Obj:
    """Return the whole question."""
    return {
        "kind": "AdmissionReview",
        "apiVersion": REVIEW_VERSION,
        "request": {**request, "object": new, "oldObject": old},
    }


def parse_review(answer: Mapping[str, Any], webhook: str, uid: str, *, may_patch: bool) -> Review:
    """Return what an answer means.

    Raises:
        InternalError: it is no answer; the failure policy decides.
    """
    response = answer.get("response")
    if answer.get("kind") != "AdmissionReview" or not isinstance(response, Mapping):
        raise InternalError("received invalid webhook response: expected webhook response of admission.k8s.io/v1")
    if response.get("uid") != uid:
        raise InternalError(
            f'received invalid webhook response: expected response.uid="{uid}", got "{response.get("uid")}"'
        )
    warnings = tuple(str(text)[:WARNING_LENGTH_MAX] for text in response.get("warnings") or ())
    notes = tuple((f"{webhook}/{key}", str(v)) for key, v in (response.get("auditAnnotations") or {}).items())
    if not response.get("allowed"):
        return Review(b"", warnings, notes, _denied(response.get("status") or {}, webhook))
    patch = response.get("patch")
    if not patch:
        return Review(warnings=warnings, audit_annotations=notes)
    if not may_patch:
        raise InternalError("received invalid webhook response: webhook returned response.patch for a validation")
    return Review(_patch(str(patch), str(response.get("patchType") or "")), warnings, notes)


def _denied(status: Mapping[str, Any], webhook: str) -> DeniedError:
    said = status.get("message") or status.get("reason")
    denied = f'admission webhook "{webhook}" denied the request'
    message = f"{denied}: {said}" if said else f"{denied} without explanation"
    code = int(status.get("code") or 0)
    return DeniedError(message, max(code, 400), str(status.get("reason") or ""), dict(status.get("details") or {}))


def _patch(encoded: str, patch_type: str) -> bytes:
    if patch_type != "JSONPatch":
        raise InternalError(f'invalid webhook response: response.patchType is "{patch_type}", expected "JSONPatch"')
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise InternalError(f"invalid webhook response: response.patch: {error}") from error


def decode_patch(patch: bytes) -> tuple[Obj, ...]:
    """Return the operations of a patch.

    Raises:
        InternalError: it is none.
    """
    if not patch:
        return ()
    try:
        check_values(patch, "the patch")
        operations = orjson.loads(patch)
    except orjson.JSONDecodeError as error:
        raise internal(f"error decoding patch: {error}") from error
    except TooLargeError as error:
        raise internal(f"error decoding patch: {error.message}") from error
    if not isinstance(operations, list) or not all(isinstance(operation, dict) for operation in operations):
        raise internal("error decoding patch: it is no list of operations")
    return tuple(operations)


def note_mutation(
    attributes: Attributes, configuration: str, webhook: str, place: str, review: Review, *, changed: bool
) -> None:
    """Write down for the audit log that a mutating webhook was asked, and what it did."""
    who = {"configuration": configuration, "webhook": webhook}
    attributes.annotate(f"{_MUTATION}{place}", orjson.dumps({**who, "mutated": changed}).decode())
    keeps_patch = attributes.trail is not None and attributes.trail.keeps_request
    if review.patch and keeps_patch:
        patch = {**who, "patch": orjson.Fragment(review.patch), "patchType": "JSONPatch"}
        attributes.annotate(f"{_PATCH}{place}", orjson.dumps(patch).decode())


def note_failure(attributes: Attributes, webhook: str, place: str) -> None:
    """Write down that a webhook could not be asked, and the request goes on without it.

    Args:
        attributes: the request.
        webhook: its name.
        place: `mutation.` or `validating.`, and its place.
    """
    kind, _, where = place.partition(".")
    attributes.annotate(f"failed-open.{kind}.{_WEBHOOKS}{where}", webhook)


def call_failed(webhook: str, why: str) -> InternalError:
    """Return upstream's error for a webhook that could not be asked, whose failure policy is Fail."""
    return internal(f'failed calling webhook "{webhook}": {why}')


def internal(message: str) -> InternalError:
    """Return upstream's NewInternalError: an error that is nobody's but the webhook's."""
    return InternalError(f"Internal error occurred: {message}", {"causes": [{"message": message}]})


def check_dry_run(webhook: Mapping[str, Any], attributes: Attributes) -> None:
    """Refuse a dry run that a webhook would not know to be one.

    Raises:
        BadRequestError: it has side effects.
    """
    if attributes.dry_run and webhook.get("sideEffects") not in ("None", "NoneOnDryRun"):
        raise BadRequestError(f'admission webhook "{webhook.get("name")}" does not support dry run')
