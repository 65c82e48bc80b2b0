"""The authorizer as admission asks it: from expressions in CEL, and from plug-ins.

Upstream: apiserver cel/library/authz.go, authorization/authorizer.
"""

from dataclasses import replace

from minikube_py.api.cel.library_authorizer import AuthorizerValue, Question, Verdict
from minikube_py.apiserver.admission import Attributes
from minikube_py.apiserver.authorize import Allowed, authorize
from minikube_py.apiserver.plugins.plugin import Permission
from minikube_py.apiserver.routes import RequestInfo
from minikube_py.apiserver.users import UserInfo


def may(user: UserInfo, permission: Permission) -> bool:
    """Return whether a user has a permission at the cluster's scope."""
    info = RequestInfo(
        path="",
        verb=permission.verb,
        is_resource=True,
        group=permission.group,
        version="*",
        resource=permission.resource,
        name=permission.name,
    )
    return isinstance(authorize(user, info), Allowed)


def authorizer_of(attributes: Attributes) -> AuthorizerValue:
    """Return `authorizer` for the expressions of a request."""

    def ask(question: Question) -> Verdict:
        user = attributes.user
        if question.user:
            namespace, _, name = question.user.partition(":")
            groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
            user = UserInfo(f"system:serviceaccount:{namespace}:{name}", groups)
        info = RequestInfo(
            path=question.path,
            verb=question.verb,
            is_resource=not question.path,
            group=question.group,
            namespace=question.namespace,
            resource=question.resource,
            name=question.name,
            subresource=question.subresource,
        )
        verdict = authorize(user, info)
        return Verdict(isinstance(verdict, Allowed), getattr(verdict, "why", ""))

    row = attributes.resource
    about = Question(
        group=row.group,
        resource=row.plural,
        subresource=attributes.subresource,
        namespace=attributes.namespace,
        name=attributes.name,
    )
    return replace(AuthorizerValue(ask), requested=about)
