from minikube_py.api.cel.library_authorizer import Question
from minikube_py.api.resources import DEPLOYMENTS
from minikube_py.apiserver.admission import Attributes
from minikube_py.apiserver.admission_authorizer import authorizer_of, may
from minikube_py.apiserver.plugins.plugin import Permission
from minikube_py.apiserver.users import LOOPBACK, UserInfo

ALICE = UserInfo("alice", ())
SIGN = Permission("sign", "certificates.k8s.io", "signers", "example.com/s")


def test_permissions_are_the_authorizers():
    assert may(LOOPBACK, SIGN)
    assert not may(ALICE, SIGN)


def test_expressions_ask_about_the_request():
    about = authorizer_of(Attributes("UPDATE", DEPLOYMENTS, "scale", "n", "d", ALICE)).requested
    assert about == Question(group="apps", resource="deployments", subresource="scale", namespace="n", name="d")
