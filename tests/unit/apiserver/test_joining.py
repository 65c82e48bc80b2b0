"""What a host may ask for when it joins, and as whom it asks."""

import orjson
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from minikube_py.api.certificate_requests import load_request
from minikube_py.api.errors import BadRequestError
from minikube_py.api.meta import format_time
from minikube_py.apiserver.joining import (
    JoinSettings,
    bootstrap_user,
    is_the_node,
    parse_join,
    request_name,
    signing_request,
)
from minikube_py.apiserver.users import node_user
from minikube_py.testing.signing_requests import an_authority, new_key, pkcs10

N1 = "system:node:n1"
KEY = new_key()


NOW_S = 1_767_225_600.0
AUTHORITY = an_authority(NOW_S)
CA_PEM = AUTHORITY.certificate.public_bytes(Encoding.PEM)
AN_HOUR_S = 3600.0


def body(request):
    return orjson.dumps({"request": request})


def a_join(name=N1, key=KEY):
    return parse_join(body(pkcs10(name, key=key)), CA_PEM)


def issued(name=N1, organizations=("system:nodes",), key=KEY, authority=AUTHORITY):
    """Return the certificate that a host got an hour ago."""
    request = load_request(pkcs10(name, organizations, key=key))
    return authority.sign(request, ("client auth",), 600.0, NOW_S, 1).decode()


def joining_again(was, key=KEY):
    return parse_join(orjson.dumps({"request": pkcs10(N1, key=key), "was": was}), CA_PEM)


def a_node(made_s):
    return {"metadata": {"name": "n1", "creationTimestamp": format_time(made_s)}}


def test_a_host_that_shows_the_nodes_certificate_and_has_its_key_is_the_node():
    join = joining_again(issued())

    assert is_the_node(join, a_node(NOW_S + 2))
    assert is_the_node(join, a_node(NOW_S - 30 * 24 * AN_HOUR_S))
    user = node_user(join.node_name)
    assert (user.name, user.groups) == (
        N1,
        ("system:nodes", "system:authenticated"),
    )


def test_a_certificate_from_before_the_node_counts_for_nothing():
    assert not is_the_node(joining_again(issued()), a_node(NOW_S + AN_HOUR_S))


@pytest.mark.parametrize(
    "was",
    [
        "",
        "nonsense",
        issued("system:node:n2"),
        issued(organizations=("system:masters",)),
        issued(key=new_key()),
        issued(authority=an_authority(NOW_S)),
    ],
)
def test_what_is_not_the_nodes_own_certificate_shows_nothing(was):
    join = joining_again(was)

    assert join.was_node_at_s is None
    assert not is_the_node(join, a_node(NOW_S))


def test_a_host_that_joins_again_makes_another_request():
    assert request_name(joining_again(issued()), "abcdef") != request_name(a_join(), "abcdef")


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
        parse_join(sent, CA_PEM)


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
