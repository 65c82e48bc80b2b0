"""Acting as somebody else (`kubectl --as`, `--as-group`, `--as-uid`): who may, and as whom.

Each thing that is asked for (the user, a group, a uid, one value of an extra) is a request of its own for upstream,
and the first that is not allowed is the answer. Until RBAC decides, only members of system:masters may, all of it.

Upstream: apiserver endpoints/filters/impersonation.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from minikube_py.api.errors import BadRequestError
from minikube_py.apiserver.authorize import forbidden_request
from minikube_py.apiserver.request_headers import header_text
from minikube_py.apiserver.routes import RequestInfo
from minikube_py.apiserver.users import ANONYMOUS, AUTHENTICATED, SYSTEM_MASTERS, UNAUTHENTICATED, UserInfo

_PREFIX = "impersonate-"
_EXTRA_PREFIX = "impersonate-extra-"
_SERVICE_ACCOUNT = "system:serviceaccount:"
_SERVICE_ACCOUNTS = "system:serviceaccounts"
_AUTHENTICATION = "authentication.k8s.io"


@dataclass(frozen=True, slots=True)
class Impersonated:
    """Whom the headers of a request ask to be."""

    name: str = ""
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def account(self) -> tuple[str, str] | None:
        """Return namespace and name of the service account that the name means; None: it means none."""
        namespace, colon, name = self.name.removeprefix(_SERVICE_ACCOUNT).partition(":")
        is_account = self.name.startswith(_SERVICE_ACCOUNT) and namespace and colon and name and ":" not in name
        return (namespace, name) if is_account else None


NOBODY_ELSE = Impersonated()


def impersonated_in(headers: Iterable[tuple[str, str]]) -> Impersonated:
    """Return whom the Impersonate-* headers of a request name.

    Raises:
        BadRequestError: groups, a uid or extras without a user.
    """
    # The first letter first: every request's headers come through here, and hardly one of them is meant.
    asked = [
        (n.lower(), header_text(value)) for n, value in headers if n[:1] in "iI" and n.lower().startswith(_PREFIX)
    ]
    if not asked:
        return NOBODY_ELSE
    extra: dict[str, tuple[str, ...]] = {}
    for header, value in asked:
        if header.startswith(_EXTRA_PREFIX):
            key = unquote(header[len(_EXTRA_PREFIX) :])
            extra[key] = (*extra.get(key, ()), value)
    wanted = Impersonated(
        name=next((value for header, value in asked if header == "impersonate-user"), ""),
        groups=tuple(value for header, value in asked if header == "impersonate-group"),
        uid=next((value for header, value in asked if header == "impersonate-uid"), ""),
        extra=tuple(extra.items()),
    )
    if not wanted.name and wanted != NOBODY_ELSE:
        raise BadRequestError(f"requested [{' '.join(_references(wanted))}] without impersonating a user")
    return wanted


def _references(wanted: Impersonated) -> Iterable[str]:
    """Yield what is asked for beside the user, as Go shows an ObjectReference."""
    for group in wanted.groups:
        yield f"{{Group  {group}    }}"
    for key, values in wanted.extra:
        for value in values:
            yield f"{{UserExtra  {value}  {_AUTHENTICATION}/v1  {key}}}"
    if wanted.uid:
        yield f"{{UID  {wanted.uid}  {_AUTHENTICATION}/v1  }}"


def impersonate(user: UserInfo, wanted: Impersonated) -> UserInfo:
    """Return the user that a request of `user` is to be judged as.

    Raises:
        ForbiddenError: this user may not act as others.
    """
    if not wanted.name:
        return user
    account = wanted.account
    if SYSTEM_MASTERS not in user.groups:
        namespace, name = account or ("", wanted.name)
        resource = "serviceaccounts" if account else "users"
        asked = RequestInfo("", "impersonate", True, namespace=namespace, resource=resource, name=name)
        raise forbidden_request(user, asked, "")
    groups = wanted.groups
    if account and not groups:
        groups = (_SERVICE_ACCOUNTS, f"{_SERVICE_ACCOUNTS}:{account[0]}")
    if wanted.name == ANONYMOUS.name:
        groups = groups if UNAUTHENTICATED in groups else (*groups, UNAUTHENTICATED)
    elif AUTHENTICATED not in groups and UNAUTHENTICATED not in groups:
        groups = (*groups, AUTHENTICATED)
    return UserInfo(wanted.name, groups, wanted.uid, wanted.extra)
