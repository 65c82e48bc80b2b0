"""What a join token looks like, and that it never says more than it should."""

import hashlib

import pytest

from minikube_py.api.join_tokens import (
    JoinToken,
    TokenFormatError,
    credential_id,
    digest_of,
    hash_of_ca,
    parse_token,
    server_token,
)

CA = b"-----BEGIN CERTIFICATE-----\nMIIB\n"
HASH = hashlib.sha256(CA).hexdigest()
WHOLE = f"K10{HASH}::abcdef.0123456789abcdef"


def test_a_token_is_read_as_it_was_written():
    token = JoinToken(HASH, "abcdef", "abcdef.0123456789abcdef")

    assert token.render() == WHOLE
    assert parse_token(f" {WHOLE}\n") == token


def test_the_clusters_own_token_holds_its_password_and_the_hash_of_its_ca():
    token = server_token("secret", CA)

    assert token.render() == f"K10{HASH}::server:secret"
    assert parse_token(token.render()) == token
    assert (token.id, token.ca_hash) == ("server", hash_of_ca(CA))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret",
        "abcdef.0123456789abcdef",
        f"K10{HASH[:-1]}::abcdef.0123456789abcdef",
        f"K10{HASH.upper()}::abcdef.0123456789abcdef",
        f"K10{HASH}:abcdef.0123456789abcdef",
    ],
)
def test_a_text_without_the_hash_of_a_ca_is_no_token(text):
    with pytest.raises(TokenFormatError, match="hash of the cluster's CA"):
        parse_token(text)


@pytest.mark.parametrize(
    "credential", ["abcdef.short", "abcde.0123456789abcdef", "node:x", "server:", "ABCDEF.0123456789abcdef"]
)
def test_what_is_no_credential_makes_no_token(credential):
    assert credential_id(credential) == ""
    with pytest.raises(TokenFormatError):
        parse_token(f"K10{HASH}::{credential}")


def test_the_secret_stands_neither_in_the_error_nor_in_the_representation():
    with pytest.raises(TokenFormatError) as caught:
        parse_token("hunter2")

    assert "hunter2" not in str(caught.value)
    assert "0123456789abcdef" not in repr(parse_token(WHOLE))


def test_a_password_with_a_space_cannot_stand_in_a_token():
    with pytest.raises(TokenFormatError):
        server_token("two words", CA)


def test_the_digest_tells_credentials_apart_and_takes_any_text():
    assert digest_of("abcdef.0123456789abcdef") != digest_of("abcdef.0123456789abcdeg")
    assert len(digest_of("\udc80")) == 64
