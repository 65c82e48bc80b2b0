import pytest

from minikube_py.api.errors import UnauthorizedError
from minikube_py.apiserver.authn import Authenticator
from minikube_py.apiserver.users import ANONYMOUS, UserInfo
from minikube_py.kit.peer_subject import PeerSubject

ADMIN = UserInfo("admin", ("system:masters",))
AUTHENTICATOR = Authenticator({"secret": ADMIN})


def test_a_certificate_names_user_and_groups():
    user = AUTHENTICATOR.authenticate(PeerSubject("jane", ("dev",)), "")

    assert user == UserInfo("jane", ("dev", "system:authenticated"))


def test_a_certificate_is_named_by_its_digest():
    user = AUTHENTICATOR.authenticate(PeerSubject("jane", (), "ab12"), "")

    assert user.extra == (("authentication.kubernetes.io/credential-id", ("X509SHA256=ab12",)),)


def test_a_known_token_is_its_user():
    assert AUTHENTICATOR.authenticate(None, "Bearer secret") == ADMIN


@pytest.mark.parametrize("header", ["", "Bearer ", "Basic c2VjcmV0"])
def test_no_token_is_the_anonymous_user(header):
    assert AUTHENTICATOR.authenticate(None, header) == ANONYMOUS


@pytest.mark.parametrize("header", ["Bearer wrong", "bearer secret2"])
def test_wrong_credentials_are_an_error_not_anonymous(header):
    with pytest.raises(UnauthorizedError, match="Unauthorized"):
        AUTHENTICATOR.authenticate(None, header)
