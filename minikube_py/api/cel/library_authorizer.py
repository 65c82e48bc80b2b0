"""The variable `authorizer`: may the user that makes the request do something else?

    authorizer.group("apps").resource("deployments").namespace("x").check("create").allowed()

Upstream: apiserver cel/library/authz.go.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from minikube_py.api.cel.values import NoOverloadError, type_name


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the authorizer: a resource request, or one for a path."""

    verb: str = ""
    path: str = ""
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    field_selector: str = ""
    label_selector: str = ""
    user: str = ""
    """A service account, as `namespace:name`; empty: whoever makes the request."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer; `reason` says why."""

    is_allowed: bool
    reason: str = ""
    failure: str = ""
    """Why the authorizer could not answer."""

    @property
    def cel_type(self) -> str:
        """Return the CEL name of the type."""
        return "kubernetes.authorization.Decision"


@dataclass(frozen=True, slots=True)
class AuthorizerValue:
    """The authorizer, and the question as far as it is asked."""

    ask: Callable[[Question], Verdict]
    question: Question = Question()
    stage: str = ""
    """What has been chosen so far: nothing, `path`, `group` or `resource`."""
    requested: Question | None = None
    """What the request itself is about: `authorizer.requestResource`."""

    @property
    def cel_type(self) -> str:
        """Return the CEL name of the type."""
        return "kubernetes.authorization.Authorizer"

    @property
    def cel_fields(self) -> Mapping[str, Any]:
        """Return what can be selected."""
        if self.requested is None:
            return {}
        return {"requestResource": replace(self, question=self.requested, stage="resource", requested=None)}


def _chooses(field: str, *stages: str, leads_to: str = "") -> Callable[[Any, Any], AuthorizerValue]:
    def choose(value: Any, text: Any) -> AuthorizerValue:
        if not isinstance(value, AuthorizerValue) or not isinstance(text, str) or value.stage not in stages:
            raise NoOverloadError(f"{field} of {type_name(value)}")
        return replace(value, question=replace(value.question, **{field: text}), stage=leads_to or value.stage)

    return choose


def _service_account(value: Any, namespace: Any, name: Any) -> AuthorizerValue:
    return _chooses("user", "")(value, f"{namespace}:{name}")


def _check(value: Any, verb: Any) -> Verdict:
    if not isinstance(value, AuthorizerValue) or not isinstance(verb, str) or value.stage not in ("path", "resource"):
        raise NoOverloadError(f"check of {type_name(value)}")
    return value.ask(replace(value.question, verb=verb))


def _verdict(value: Any) -> Verdict:
    if not isinstance(value, Verdict):
        raise NoOverloadError(f"a decision's method on {type_name(value)}")
    return value


FUNCTIONS: Mapping[str, Callable[..., Any]] = {}
METHODS: Mapping[str, Callable[..., Any]] = {
    "path": _chooses("path", "", leads_to="path"),
    "group": _chooses("group", "", leads_to="group"),
    "serviceAccount": _service_account,
    "resource": _chooses("resource", "group", leads_to="resource"),
    "subresource": _chooses("subresource", "resource"),
    "namespace": _chooses("namespace", "resource"),
    "name": _chooses("name", "resource"),
    "fieldSelector": _chooses("field_selector", "resource"),
    "labelSelector": _chooses("label_selector", "resource"),
    "check": _check,
    "allowed": lambda value: _verdict(value).is_allowed,
    "reason": lambda value: _verdict(value).reason,
    "errored": lambda value: bool(_verdict(value).failure),
    "error": lambda value: _verdict(value).failure,
}
