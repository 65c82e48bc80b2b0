"""The keys that Secrets are encrypted with, in a file for root alone (upstream: --encryption-provider-config)."""

import json
import secrets
from collections.abc import Sequence
from pathlib import Path

from minikube_py.kit.io.files import make_private_folder, write_atomic
from minikube_py.store.disk import Storage
from minikube_py.store.encryption import (
    KEY_BYTES,
    NONCE_BYTES,
    Encryption,
    EncryptionKey,
    KeyFileError,
    key_of,
    make_key,
    parse_keys,
    render_keys,
)
from minikube_py.store.interface import StoreOpenError
from minikube_py.store.io.folder_check import list_snapshots
from minikube_py.store.io.log_reader import LogFaultError
from minikube_py.store.io.recovery import read_layout, replay_log


def read_keys(path: Path) -> tuple[EncryptionKey, ...]:
    """Return the keys of the file, the one that seals first; none when there is no file.

    Raises:
        StoreOpenError: the file cannot be used, or others may read it.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise StoreOpenError(f"the key file {path} can be read by others: run chmod 600 {path}")
        return parse_keys(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return ()
    except (OSError, KeyFileError, ValueError) as error:
        raise StoreOpenError(f"the key file {path} cannot be used: {error}") from error


def write_keys(path: Path, keys: Sequence[EncryptionKey]) -> None:
    """Replace the file.

    Raises:
        StoreOpenError: it cannot be written; the old one is untouched.
    """
    try:
        make_private_folder(path.parent)
        write_atomic(path, json.dumps(render_keys(keys), indent=2).encode() + b"\n", 0o600)
    except OSError as error:
        raise StoreOpenError(f"the key file {path} cannot be written: {error.strerror}") from error


def open_encryption(path: Path) -> Encryption:
    """Return the encryption by the keys of the file, which is made with a new key when there is none.

    Raises:
        StoreOpenError: the file cannot be used or made.
    """
    keys = read_keys(path)
    if not keys:
        keys = (new_key(),)
        write_keys(path, keys)
    return Encryption(keys, lambda: secrets.token_bytes(NONCE_BYTES))


def new_key() -> EncryptionKey:
    """Return a new random key."""
    return make_key(secrets.token_bytes(KEY_BYTES))


def rotate(path: Path) -> tuple[EncryptionKey, ...]:
    """Put a new key in front, which seals from now on; return all keys.

    Raises:
        StoreOpenError: the file cannot be used or written.
    """
    keys = (new_key(), *read_keys(path))
    write_keys(path, keys)
    return keys


def keys_in_use(storage: Storage) -> frozenset[str]:
    """Return the names of the keys that some file of the store is sealed with: every epoch, every segment.

    Raises:
        StoreOpenError: a file cannot be read, so that it is not known.
    """
    used: set[str] = set()
    for facts in list_snapshots(storage):
        if facts.header is None:
            raise StoreOpenError(f"snapshot {facts.name} cannot be read: {facts.damage}")
        used.update(facts.header.key_ids)

    def note(_key: str, value: bytes) -> bytes:
        name = key_of(value)
        if name is not None:
            used.add(name)
        return value

    layout = read_layout(storage)
    raw = Storage(storage.disk, storage.folder, note, note)
    for epoch in layout.epochs:
        files = layout.of_epoch(epoch)
        if not files.segments:
            continue
        oldest = files.snapshots[0].revision if files.snapshots else 0
        try:
            end = replay_log(raw, files, oldest, lambda _transaction: True)
        except LogFaultError as error:
            raise StoreOpenError(str(error)) from error
        if end.damage:
            raise StoreOpenError(end.damage)
    return frozenset(used)
