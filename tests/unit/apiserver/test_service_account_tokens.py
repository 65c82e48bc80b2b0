"""What a token of a service account says, and when it is good."""

import pytest

from minikube_py.apiserver.service_account_tokens import (
    ISSUER,
    is_in_its_time,
    issued,
    join_token,
    make_claims,
    namespace_in,
    references_of,
    request_faults,
    set_request_defaults,
    signing_input,
    split_token,
    user_of_claims,
)

ACCOUNT = {"metadata": {"name": "robot", "namespace": "default", "uid": "u1"}}
POD = {"kind": "Pod", "metadata": {"name": "p", "uid": "u2"}}
SPEC = {"expirationSeconds": 3600, "audiences": [ISSUER]}
CLAIMS = make_claims(ACCOUNT, SPEC, POD, "j", 1000.0)


def test_a_token_says_whose_it_is_how_long_and_with_what_it_ends():
    assert CLAIMS["sub"] == "system:serviceaccount:default:robot"
    assert (CLAIMS["iat"], CLAIMS["exp"], CLAIMS["jti"]) == (1000, 4600, "j")
    assert references_of(CLAIMS) == {
        "serviceaccount": {"name": "robot", "uid": "u1"},
        "pod": {"name": "p", "uid": "u2"},
    }
    assert namespace_in(CLAIMS) == "default"
    user = user_of_claims(CLAIMS)
    assert user.name == "system:serviceaccount:default:robot"
    assert user.groups == ("system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated")


def test_a_request_is_for_an_hour_and_for_this_server_unless_it_says_otherwise():
    request = {}
    set_request_defaults(request)
    other = {"spec": {"audiences": ["vault"], "expirationSeconds": 600}}
    set_request_defaults(other)

    assert request["spec"] == SPEC
    assert other["spec"] == {"audiences": ["vault"], "expirationSeconds": 600}
    assert request_faults(request) == ()


@pytest.mark.parametrize(
    ("spec", "fields"),
    [
        ({"expirationSeconds": 5}, ["spec.expirationSeconds"]),
        ({"expirationSeconds": 2**33}, ["spec.expirationSeconds"]),
        ({"expirationSeconds": 600, "boundObjectRef": {"kind": "Pod"}}, ["spec.boundObjectRef.name"]),
    ],
)
def test_faults_of_a_request(spec, fields):
    assert [fault.field for fault in request_faults({"spec": spec})] == fields


@pytest.mark.parametrize(
    ("changes", "at_s", "good"),
    [
        ({}, 1000, True),
        ({}, 4600, False),
        ({}, 999, False),
        ({"iss": "other"}, 1000, False),
        ({"aud": ["vault"]}, 1000, False),
        ({"aud": ISSUER}, 1000, False),
    ],
)
def test_a_token_is_good_in_its_time_and_for_us(changes, at_s, good):
    assert is_in_its_time({**CLAIMS, **changes}, at_s) is good


def test_a_token_comes_apart_as_it_was_put_together():
    signed = signing_input(CLAIMS, "key")
    split = split_token(join_token(signed, b"\x00signature"))

    assert (split.claims, split.signed, split.signature) == (CLAIMS, signed, b"\x00signature")


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "!.!.!", "e30.e30.x", "x" * 20_000, "bnVsbA.bnVsbA.x"])
def test_what_is_no_token_of_ours_is_told_apart(text):
    assert split_token(text) is None


def test_the_answer_carries_the_token_and_when_it_ends():
    answer = issued({"kind": "TokenRequest", "spec": SPEC}, ACCOUNT, "t", CLAIMS)

    assert answer["status"] == {"token": "t", "expirationTimestamp": "1970-01-01T01:16:40Z"}
    assert (answer["metadata"]["name"], answer["spec"]) == ("robot", SPEC)
