import pytest

from minikube_py.api.errors import BadRequestError, ForbiddenError
from minikube_py.apiserver.impersonation import NOBODY_ELSE, Impersonated, impersonate, impersonated_in
from minikube_py.apiserver.users import ANONYMOUS, AUTHENTICATED, SYSTEM_MASTERS, UNAUTHENTICATED, UserInfo

ADMIN = UserInfo("admin", (SYSTEM_MASTERS, AUTHENTICATED))
ACCOUNT = "system:serviceaccount:ns:sa"


def test_without_the_headers_a_user_is_itself():
    assert impersonated_in([("Accept", "x")]) is NOBODY_ELSE
    assert impersonate(ADMIN, NOBODY_ELSE) is ADMIN


def test_the_headers_name_a_user_with_all_that_is_known():
    headers = [
        ("Impersonate-User", "bob"),
        ("Impersonate-Group", "devs"),
        ("Impersonate-Group", "ops"),
        ("Impersonate-Uid", "u1"),
        ("Impersonate-Extra-Scopes", "view"),
        ("impersonate-extra-scopes", "edit"),
        ("Impersonate-Extra-Acme.com%2fproject", "x"),
    ]

    extra = (("scopes", ("view", "edit")), ("acme.com/project", ("x",)))
    assert impersonated_in(headers) == Impersonated("bob", ("devs", "ops"), "u1", extra)
    assert impersonate(ADMIN, impersonated_in(headers)) == UserInfo(
        "bob", ("devs", "ops", AUTHENTICATED), "u1", extra
    )


@pytest.mark.parametrize(
    ("name", "asked", "groups"),
    [
        ("bob", (), (AUTHENTICATED,)),
        ("bob", ("devs", AUTHENTICATED), ("devs", AUTHENTICATED)),
        ("bob", (UNAUTHENTICATED,), (UNAUTHENTICATED,)),
        (ANONYMOUS.name, (), (UNAUTHENTICATED,)),
        (ANONYMOUS.name, (UNAUTHENTICATED,), (UNAUTHENTICATED,)),
        (ACCOUNT, (), ("system:serviceaccounts", "system:serviceaccounts:ns", AUTHENTICATED)),
        (ACCOUNT, ("devs",), ("devs", AUTHENTICATED)),
        ("system:serviceaccount:ns", (), (AUTHENTICATED,)),
    ],
    ids=str,
)
def test_groups_are_those_that_are_asked_for_and_those_that_follow_from_the_name(name, asked, groups):
    assert impersonate(ADMIN, Impersonated(name, asked)).groups == groups


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "bob",
            'users "bob" is forbidden: User "alice" cannot impersonate resource "users" in API group "" at the c',
        ),
        (ACCOUNT, 'serviceaccounts "sa" is forbidden: .* resource "serviceaccounts" .* in the namespace "ns"'),
    ],
)
def test_others_may_not(name, message):
    with pytest.raises(ForbiddenError, match=message):
        impersonate(UserInfo("alice", (AUTHENTICATED,)), Impersonated(name))


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        ("Impersonate-Group", "[{Group  x    }]"),
        ("Impersonate-Uid", "[{UID  x  authentication.k8s.io/v1  }]"),
        ("Impersonate-Extra-Scopes", "[{UserExtra  x  authentication.k8s.io/v1  scopes}]"),
    ],
)
def test_what_comes_without_a_user_is_refused(header, shown):
    with pytest.raises(BadRequestError) as refused:
        impersonated_in([(header, "x")])
    assert refused.value.message == f"requested {shown} without impersonating a user"
