import pytest

from minikube_py.api.errors import BadRequestError, ForbiddenError
from minikube_py.apiserver.impersonation import impersonate
from minikube_py.apiserver.users import ANONYMOUS, AUTHENTICATED, SYSTEM_MASTERS, UNAUTHENTICATED, UserInfo

ADMIN = UserInfo("admin", (SYSTEM_MASTERS, AUTHENTICATED))


def test_without_the_header_a_user_is_itself():
    assert impersonate(ADMIN, "", ()) is ADMIN


def test_an_admin_may_act_as_anybody():
    assert impersonate(ADMIN, "bob", ("devs",)) == UserInfo("bob", ("devs", AUTHENTICATED))
    assert impersonate(ADMIN, ANONYMOUS.name, ()) == UserInfo(ANONYMOUS.name, (UNAUTHENTICATED,))
    assert impersonate(ADMIN, "system:serviceaccount:ns:sa", ()).groups == (
        "system:serviceaccounts",
        "system:serviceaccounts:ns",
        AUTHENTICATED,
    )


def test_others_may_not():
    with pytest.raises(
        ForbiddenError, match='users "bob" is forbidden: User "alice" cannot impersonate resource "users"'
    ):
        impersonate(UserInfo("alice", (AUTHENTICATED,)), "bob", ())


def test_groups_alone_are_refused():
    with pytest.raises(BadRequestError, match="without impersonating a user"):
        impersonate(ADMIN, "", ("devs",))
