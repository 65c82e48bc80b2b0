"""Questions that are answered at once and not kept: who am I, whose token is this, may he do that, what may I do.

What is allowed is the authorizer's to say; these functions only carry its answers in the form of the review kinds.

Upstream: registry/authentication/{tokenreview,selfsubjectreview}, registry/authorization/*.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from minikube_py.api.errors import BadRequestError, FieldError, InvalidError, UnauthorizedError, invalid
from minikube_py.api.meta import Obj, format_time, name_of, namespace_of
from minikube_py.api.rules.faults import items, part
from minikube_py.apiserver.authorize import Allowed, Denied, rules_of
from minikube_py.apiserver.routes import RequestInfo
from minikube_py.apiserver.users import UserInfo, render_user

_AUTHORIZATION = "authorization.k8s.io"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question is asked with: by whom, in which namespace (local reviews), and when."""

    user: UserInfo
    namespace: str
    wall_s: float


@dataclass(frozen=True, slots=True)
class Judges:
    """Who knows the answers."""

    authorize: Callable[[UserInfo, RequestInfo], Allowed | Denied]
    user_of_token: Callable[[str], UserInfo]
    """Raises UnauthorizedError for a token that is not known."""


Answer = Callable[[Obj, Asked, Judges], Obj]
"""(review as it came, context, judges) -> the review with its status."""


def self_subject_review(review: Obj, asked: Asked, judges: Judges) -> Obj:
    """Answer who is asking."""
    del judges
    meta = {"creationTimestamp": format_time(asked.wall_s)}
    return {**review, "metadata": meta, "status": {"userInfo": render_user(asked.user)}}


def token_review(review: Obj, asked: Asked, judges: Judges) -> Obj:
    """Answer whose a token is."""
    del asked
    token = part(review, "spec").get("token")
    if not token:
        raise BadRequestError("token is required for TokenReview in authentication")
    try:
        user = judges.user_of_token(token)
    except UnauthorizedError:
        status: Obj = {"user": {}, "error": "invalid bearer token"}
    else:
        status = {"authenticated": True, "user": render_user(user)}
        if audiences := items(part(review, "spec"), "audiences"):
            status["audiences"] = list(audiences)
    return {**review, "metadata": _stamp(review), "status": status}


def subject_access_review(review: Obj, asked: Asked, judges: Judges) -> Obj:
    """Answer whether somebody may do something."""
    del asked
    _check_request(review, with_user=True)
    return _reviewed(review, _subject_of(review), judges)


def local_subject_access_review(review: Obj, asked: Asked, judges: Judges) -> Obj:
    """Answer whether somebody may do something in this namespace."""
    _check_request(review, with_user=True)
    spec = part(review, "spec")
    if spec.get("nonResourceAttributes") is not None:
        fault = FieldError(
            "FieldValueInvalid", "spec.nonResourceAttributes", "disallowed on this kind of request", {}
        )
        raise _invalid(fault)
    namespace = part(spec, "resourceAttributes").get("namespace") or ""
    if namespace != asked.namespace:
        raise BadRequestError(f"spec.resourceAttributes.namespace must match namespace: {asked.namespace}")
    return _reviewed(review, _subject_of(review), judges)


def self_subject_access_review(review: Obj, asked: Asked, judges: Judges) -> Obj:
    """Answer whether the one who asks may do something."""
    _check_request(review, with_user=False)
    return _reviewed(review, asked.user, judges)


def self_subject_rules_review(review: Obj, asked: Asked, judges: Judges) -> Obj:
    """Answer what the one who asks may do in a namespace."""
    del judges
    namespace = part(review, "spec").get("namespace") or ""
    if not namespace:
        raise BadRequestError("no namespace on request")
    rules = rules_of(asked.user)
    status: Obj = {
        "resourceRules": [
            {"verbs": list(rule.verbs), "apiGroups": list(rule.api_groups), "resources": list(rule.resources)}
            for rule in rules.resource_rules
        ],
        "nonResourceRules": [
            {"verbs": list(rule.verbs), "nonResourceURLs": list(rule.urls)} for rule in rules.non_resource_rules
        ],
        "incomplete": False,
    }
    return {**review, "metadata": _stamp(review), "status": status}


ANSWERS: Mapping[str, Answer] = {
    "selfsubjectreviews.authentication.k8s.io": self_subject_review,
    "tokenreviews.authentication.k8s.io": token_review,
    "subjectaccessreviews.authorization.k8s.io": subject_access_review,
    "localsubjectaccessreviews.authorization.k8s.io": local_subject_access_review,
    "selfsubjectaccessreviews.authorization.k8s.io": self_subject_access_review,
    "selfsubjectrulesreviews.authorization.k8s.io": self_subject_rules_review,
}
"""How each of the review resources is answered."""


def _stamp(review: Mapping[str, Any]) -> Obj:
    kept = {"name": name_of(review), "namespace": namespace_of(review)}
    return {field: value for field, value in kept.items() if value}


def _subject_of(review: Mapping[str, Any]) -> UserInfo:
    spec = part(review, "spec")
    return UserInfo(str(spec.get("user") or ""), tuple(map(str, items(spec, "groups"))))


def _check_request(review: Mapping[str, Any], *, with_user: bool) -> None:
    """Refuse a review that does not say what is asked, or of whom (upstream: ValidateSubjectAccessReviewSpec)."""
    spec, faults = part(review, "spec"), []
    given = [field for field in ("resourceAttributes", "nonResourceAttributes") if spec.get(field) is not None]
    if len(given) != 1:
        detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        if given:
            detail = "cannot be specified in combination with resourceAttributes"
        field = "spec.nonResourceAttributes" if given else "spec.resourceAttributes"
        faults.append(FieldError("FieldValueInvalid", field, detail, "null" if not given else {}))
    if with_user and not spec.get("user") and not spec.get("groups"):
        detail = "at least one of user or group must be specified"
        faults.append(FieldError("FieldValueInvalid", "spec.user", detail, spec.get("user") or ""))
    if faults:
        raise _invalid(*faults)


def _invalid(*faults: FieldError) -> InvalidError:
    """Return a 422 that names no kind, as upstream's does not."""
    error = invalid(_AUTHORIZATION, "", "", faults)
    del error.details["kind"]
    return error


def _reviewed(review: Obj, user: UserInfo, judges: Judges) -> Obj:
    verdict = judges.authorize(user, _request_of(part(review, "spec")))
    status: Obj = {"allowed": isinstance(verdict, Allowed)}
    if isinstance(verdict, Denied) and verdict.why:
        status["reason"] = verdict.why
    return {**review, "metadata": _stamp(review), "status": status}


def _request_of(spec: Mapping[str, Any]) -> RequestInfo:
    other = spec.get("nonResourceAttributes")
    if other is not None:
        return RequestInfo(path=str(other.get("path") or ""), verb=str(other.get("verb") or ""))
    wanted = part(spec, "resourceAttributes")
    fields = ("group", "version", "namespace", "resource", "name", "subresource")
    given = {field: str(wanted.get(field) or "") for field in fields}
    return RequestInfo(path="", verb=str(wanted.get("verb") or ""), is_resource=True, **given)
