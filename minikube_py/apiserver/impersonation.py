"""Acting as somebody else (`kubectl --as`): who may, and as whom.

Until RBAC decides, only members of system:masters may. Upstream: apiserver endpoints/filters/impersonation.
"""

from collections.abc import Sequence

from minikube_py.api.errors import BadRequestError, forbidden
from minikube_py.apiserver.users import ANONYMOUS, AUTHENTICATED, SYSTEM_MASTERS, UNAUTHENTICATED, UserInfo

_SERVICE_ACCOUNT = "system:serviceaccount:"


def impersonate(user: UserInfo, name: str, groups: Sequence[str]) -> UserInfo:
    """Return the user that the request is to be judged as.

    Args:
        user: who asks.
        name: the Impersonate-User header; empty: nobody is impersonated.
        groups: every Impersonate-Group header.

    Raises:
        ForbiddenError: this user may not act as others.
        BadRequestError: groups without a user.
    """
    if not name:
        if groups:
            raise BadRequestError("requested impersonation of groups without impersonating a user")
        return user
    if SYSTEM_MASTERS not in user.groups:
        resource = "serviceaccounts" if name.startswith(_SERVICE_ACCOUNT) else "users"
        why = f'User "{user.name}" cannot impersonate resource "{resource}" in API group "" at the cluster scope'
        raise forbidden("", resource, name, why)
    if name.startswith(_SERVICE_ACCOUNT) and not groups:
        namespace = name.split(":")[2]
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"]
    implied = UNAUTHENTICATED if name == ANONYMOUS.name else AUTHENTICATED
    return UserInfo(name, tuple(dict.fromkeys((*groups, implied))))
