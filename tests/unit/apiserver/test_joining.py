"""What a host may ask for when it joins, and as whom it asks."""

import orjson
import pytest

from minikube_py.api.errors import BadRequestError
from minikube_py.apiserver.joining import (
    JoinSettings,
    bootstrap_user,
    parse_join,
    request_name,
    signing_request,
)
from minikube_py.testing.signing_requests import new_key, pkcs10

N1 = "system:node:n1"
KEY = new_key()


def body(request):
    return orjson.dumps({"request": request})


def a_join(name=N1, key=KEY):
    return parse_join(body(pkcs10(name, key=key)))


def test_a_host_is_known_by_the_name_in_its_request():
    assert a_join().node_name == "n1"


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (b"", "a host joins by"),
        (b"[]", "a host joins by"),
        (b'{"request": 5}', "a host joins by"),
        (b'{"request": "e30="}', "CERTIFICATE REQUEST"),
        (body(pkcs10("admin", ("system:masters",))), "organization is not system:nodes"),
        (body(pkcs10(N1, ("system:nodes", "system:masters"))), "organization is not system:nodes"),
        (body(pkcs10("admin")), "does not begin with system:node:"),
        (body(pkcs10(N1, sans=("api.example.org",))), "subjectAltNames are not allowed"),
        (body(pkcs10("system:node:Not_A_Name")), "cannot be the name of a node"),
        (body(pkcs10("system:node:")), "cannot be the name of a node"),
    ],
)
def test_what_no_node_gets_is_refused(sent, message):
    with pytest.raises(BadRequestError, match=message):
        parse_join(sent)


def test_who_asks_again_asks_under_the_same_name():
    assert request_name(a_join(), "abcdef") == request_name(a_join(), "abcdef")


def test_another_key_name_or_token_makes_another_request():
    names = {
        request_name(a_join(), "abcdef"),
        request_name(a_join(), "server"),
        request_name(a_join("system:node:n2"), "abcdef"),
        request_name(a_join(key=new_key()), "abcdef"),
    }

    assert len(names) == 4


def test_a_host_asks_as_its_token_and_for_a_kubelets_client_certificate_alone():
    user = bootstrap_user("abcdef")
    spec = signing_request(a_join(), "node-csr-1")["spec"]

    assert (user.name, user.groups) == ("system:bootstrap:abcdef", ("system:bootstrappers", "system:authenticated"))
    assert spec["signerName"] == "kubernetes.io/kube-apiserver-client-kubelet"
    assert spec["usages"] == ["digital signature", "client auth"]


def test_the_greeting_says_nothing_but_version_and_settings():
    settings = JoinSettings(b"CA", "digest", "0.1.0", {"cluster-domain": "cluster.local"})

    assert settings.greeting() == {"version": "0.1.0", "cluster": {"cluster-domain": "cluster.local"}}
