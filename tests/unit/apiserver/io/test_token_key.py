"""The key signs, and knows its own signatures."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from minikube_py.apiserver.io.token_key import TokenKey
from minikube_py.kit.io.keys import new_key_pem

PEM = new_key_pem()


def test_a_signature_is_known_by_the_key_that_made_it():
    key, again, other = TokenKey(PEM), TokenKey(PEM), TokenKey(new_key_pem())
    signature = key.sign(b"data")

    assert len(signature) == 64
    assert again.verify(b"data", signature)
    assert not again.verify(b"other", signature)
    assert not again.verify(b"data", signature[:-1])
    assert not other.verify(b"data", signature)
    assert key.key_id == again.key_id != other.key_id


def test_another_sort_of_key_is_refused():
    pem = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

    with pytest.raises(TypeError):
        TokenKey(pem)
