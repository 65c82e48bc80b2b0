"""Secrets are ciphertext on the disk: AES-GCM at the store's border, by key prefix; pure.

The form is upstream's (`k8s:enc:aesgcm:v1:<key name>:` + nonce + ciphertext, with the storage key as
associated data, so that a value cannot be moved to another key), as kube-apiserver writes it under an
EncryptionConfiguration; and the key file is such a configuration. The first key seals, every key unseals. Memory
holds plaintext, as the API server's watch cache does upstream.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SECRETS_PREFIX = "/registry/core/secrets/"
KEY_BYTES = 32
NONCE_BYTES = 12
_HEAD = b"k8s:enc:aesgcm:v1:"


class SealedError(ValueError):
    """A value on the disk cannot be unsealed: its key is missing, or it was changed."""


class KeyFileError(ValueError):
    """The key file is no EncryptionConfiguration with aesgcm keys for secrets."""


@dataclass(frozen=True, slots=True)
class EncryptionKey:
    """A named key; its name is written with every value."""

    name: str
    secret: bytes = field(repr=False)


class Encryption:
    """Seals and unseals the values under the prefixes; implements both directions of records.Seal."""

    def __init__(
        self,
        keys: Sequence[EncryptionKey],
        new_nonce: Callable[[], bytes],
        prefixes: tuple[str, ...] = (SECRETS_PREFIX,),
    ) -> None:
        self._prefixes = prefixes
        self._new_nonce = new_nonce
        self._ciphers: dict[bytes, AESGCM] = {}
        self._primary = b""
        self.use(keys)

    def use(self, keys: Sequence[EncryptionKey]) -> None:
        """Use other keys from now on: the first seals."""
        self._ciphers = {key.name.encode(): AESGCM(key.secret) for key in keys}
        self._primary = keys[0].name.encode()

    @property
    def primary(self) -> str:
        """The name of the key that seals."""
        return self._primary.decode()

    def seal(self, key: str, value: bytes) -> bytes:
        """Return the value as it goes to the disk."""
        if not key.startswith(self._prefixes):
            return value
        nonce = self._new_nonce()
        primary = self._primary
        return b"%s%s:%s%s" % (_HEAD, primary, nonce, self._ciphers[primary].encrypt(nonce, value, key.encode()))

    def unseal(self, key: str, value: bytes) -> bytes:
        """Return the value as it was; one that was written before there was a key is returned as it is.

        Raises:
            SealedError: there is no such key, or the value is not what was written there.
        """
        name = key_of(value)
        if name is None:
            return value
        cipher = self._ciphers.get(name.encode())
        if cipher is None:
            raise SealedError(f"{key} is encrypted with key {name!r}, which is not in the key file")
        start = len(_HEAD) + len(name.encode()) + 1
        nonce, sealed = value[start : start + NONCE_BYTES], value[start + NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, sealed, key.encode())
        except (InvalidTag, ValueError):
            raise SealedError(f"{key} cannot be decrypted with key {name!r}: it or the key was changed") from None


def key_of(value: bytes) -> str | None:
    """Return the name of the key that a value on the disk is sealed with, or None when it is not sealed."""
    if not value.startswith(_HEAD):
        return None
    name, colon, _ = value[len(_HEAD) :].partition(b":")
    return name.decode(errors="replace") if colon else None


def make_key(secret: bytes) -> EncryptionKey:
    """Return a key for a new secret; its name follows from the secret, so that two keys never share one."""
    return EncryptionKey("key-" + hashlib.sha256(secret).hexdigest()[:10], secret)


def render_keys(keys: Sequence[EncryptionKey]) -> dict[str, Any]:
    """Return the key file's content."""
    given = [{"name": key.name, "secret": base64.b64encode(key.secret).decode()} for key in keys]
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "EncryptionConfiguration",
        "resources": [{"resources": ["secrets"], "providers": [{"aesgcm": {"keys": given}}, {"identity": {}}]}],
    }


def parse_keys(content: Mapping[str, Any]) -> tuple[EncryptionKey, ...]:
    """Return the keys of a key file, the one that seals first.

    Raises:
        KeyFileError: it holds none that can be used.
    """
    try:
        (rule,) = content["resources"]
        rows = next(provider["aesgcm"]["keys"] for provider in rule["providers"] if "aesgcm" in provider)
        keys = tuple(EncryptionKey(str(row["name"]), base64.b64decode(row["secret"], validate=True)) for row in rows)
    except (KeyError, TypeError, ValueError, StopIteration) as error:
        raise KeyFileError(f"it is no EncryptionConfiguration with aesgcm keys for secrets ({error!r})") from error
    faulty = [key.name for key in keys if len(key.secret) != KEY_BYTES or ":" in key.name or not key.name]
    if faulty or not keys:
        raise KeyFileError(f"key {faulty[0]!r} is not {KEY_BYTES} bytes long" if faulty else "it holds no key")
    return keys
