"""What is remembered of a token, who may still use it, and that a Secret carries all of it but the secret."""

from dataclasses import replace

import pytest

from minikube_py.api.join_token_secrets import SECRET_TYPE, Claim, TokenRecord, record_of, secret_key, secret_of
from minikube_py.api.join_tokens import digest_of

NOW_S = 1_767_225_600.0
CREDENTIAL = "abcdef.0123456789abcdef"
RECORD = TokenRecord("abcdef", digest_of(CREDENTIAL), "for the rack", NOW_S + 60.0, 2, (Claim("csr-1", "n1"),))


def test_a_secret_carries_the_record_and_not_the_secret():
    secret = secret_of(RECORD)

    assert record_of(secret) == RECORD
    assert secret["type"] == SECRET_TYPE
    assert secret_key("abcdef").name == secret["metadata"]["name"]
    assert b"0123456789abcdef" not in str(secret).encode()


def test_a_change_is_one_of_the_version_that_was_read():
    assert secret_of(RECORD, "7")["metadata"]["resourceVersion"] == "7"
    assert "resourceVersion" not in secret_of(RECORD)["metadata"]


@pytest.mark.parametrize(
    "spoilt",
    [
        {"type": "Opaque"},
        {"data": {}},
        {"data": {**secret_of(RECORD)["data"], "uses": "!"}},
        {"data": {**secret_of(RECORD)["data"], "claims": "e30x"}},
        {"data": {**secret_of(RECORD)["data"], "expiration": "dG9tb3Jyb3c="}},
    ],
)
def test_a_secret_that_somebody_spoilt_holds_no_record(spoilt):
    assert record_of({**secret_of(RECORD), **spoilt}) is None


def test_a_token_without_end_and_number_lets_every_host_in_and_counts_none():
    record = TokenRecord("abcdef", "digest")

    assert record_of(secret_of(record)) == record
    assert record.refusal("csr-1", NOW_S * 2) == ""
    assert record.claimed(Claim("csr-1", "n1")) is record


def test_a_token_is_good_until_the_moment_it_expires():
    assert RECORD.refusal("csr-2", NOW_S + 59.9) == ""
    assert "the token abcdef expired at 2026-01-01T00:01:00Z" in RECORD.refusal("csr-2", NOW_S + 60.0)


def test_the_last_use_is_had_once_and_the_refusal_names_who_had_them():
    used_up = RECORD.claimed(Claim("csr-2", "n2"))

    assert "is used up (by n1, n2)" in used_up.refusal("csr-3", NOW_S)


def test_a_host_that_asks_again_takes_no_second_use():
    used_up = RECORD.claimed(Claim("csr-2", "n2"))

    assert used_up.refusal("csr-2", NOW_S) == ""
    assert used_up.claimed(Claim("csr-2", "n2")) is used_up


def test_a_use_that_is_given_back_is_there_for_another_host():
    used_up = RECORD.claimed(Claim("csr-2", "n2"))

    assert used_up.released("csr-2") == RECORD
    assert replace(RECORD, claims=()).released("csr-2").claims == ()
