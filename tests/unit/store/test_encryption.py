import base64
from itertools import count

import pytest

from minikube_py.store.encryption import (
    SECRETS_PREFIX,
    Encryption,
    EncryptionKey,
    KeyFileError,
    SealedError,
    key_of,
    make_key,
    parse_keys,
    render_keys,
)

OLD, NEW = make_key(b"o" * 32), make_key(b"n" * 32)
KEY = SECRETS_PREFIX + "default/hush"


def an_encryption(*keys):
    numbers = count()
    return Encryption(keys, lambda: next(numbers).to_bytes(12, "big"))


def test_secrets_are_sealed_and_nothing_else_is():
    box = an_encryption(OLD)
    sealed = box.seal(KEY, b"password")

    assert sealed.startswith(b"k8s:enc:aesgcm:v1:" + OLD.name.encode() + b":")
    assert b"password" not in sealed
    assert box.unseal(KEY, sealed) == b"password"
    assert box.seal("/registry/core/configmaps/x/y", b"plain") == b"plain"
    assert box.unseal(KEY, b"{}") == b"{}"


def test_the_same_value_is_never_the_same_ciphertext():
    box = an_encryption(OLD)

    assert box.seal(KEY, b"x") != box.seal(KEY, b"x")


def test_after_a_rotation_the_new_key_seals_and_the_old_one_still_unseals():
    box = an_encryption(OLD)
    before = box.seal(KEY, b"x")
    box.use((NEW, OLD))

    assert box.primary == NEW.name
    assert key_of(box.seal(KEY, b"x")) == NEW.name
    assert box.unseal(KEY, before) == b"x"
    with pytest.raises(SealedError, match=f"{OLD.name}.*not in the key file"):
        an_encryption(NEW).unseal(KEY, before)


@pytest.mark.parametrize("damage", ["other key", "bit", "short"])
def test_a_value_that_was_moved_or_changed_is_refused(damage):
    box = an_encryption(OLD)
    sealed = box.seal(KEY, b"x")
    where = KEY + "2" if damage == "other key" else KEY
    if damage == "bit":
        sealed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    if damage == "short":
        sealed = sealed[:-14]

    with pytest.raises(SealedError, match="cannot be decrypted"):
        box.unseal(where, sealed)


def test_the_key_file_is_upstreams_and_is_read_back():
    content = render_keys([NEW, OLD])

    assert (content["kind"], content["resources"][0]["resources"]) == ("EncryptionConfiguration", ["secrets"])
    assert parse_keys(content) == (NEW, OLD)
    assert "nnnn" not in repr(NEW)


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ([], "holds no key"),
        ([{"name": "k", "secret": base64.b64encode(b"short").decode()}], "not 32 bytes"),
        ([{"name": "k", "secret": "***"}], "no EncryptionConfiguration"),
        ([{"name": "a:b", "secret": base64.b64encode(b"x" * 32).decode()}], "key 'a:b'"),
        (None, "no EncryptionConfiguration"),
    ],
)
def test_a_key_file_that_cannot_be_used_is_told(keys, fault):
    content = render_keys([OLD])
    content["resources"][0]["providers"][0] = {"aesgcm": {"keys": keys}}

    with pytest.raises(KeyFileError, match=fault):
        parse_keys(content)


def test_a_key_is_named_by_its_secret():
    assert make_key(b"o" * 32) == OLD
    assert OLD.name != NEW.name
    assert isinstance(OLD, EncryptionKey)


@pytest.mark.parametrize(
    ("value", "name"), [(b"{}", None), (b"k8s:enc:aesgcm:v1:k", None), (b"k8s:enc:aesgcm:v1:k:..", "k")]
)
def test_the_key_of_a_value_can_be_asked(value, name):
    assert key_of(value) == name
