import pytest

from minikube_py.apiserver.canonical import decode, stamp
from minikube_py.store.encryption import SECRETS_PREFIX
from minikube_py.store.interface import StoreOpenError
from minikube_py.store.io.key_file import keys_in_use, open_encryption, read_keys, rotate, write_keys
from minikube_py.store.io.open_store import StoreOptions, open_store, storage_of
from minikube_py.store.retention import SnapshotPolicy
from minikube_py.testing.contracts_store import PODS, put
from minikube_py.testing.manual_clock import ManualClock

PLAIN = 31415926535


def test_the_file_is_made_once_for_its_owner_alone(tmp_path):
    path = tmp_path / "cred" / "keys.json"
    assert read_keys(path) == ()
    first = open_encryption(path)
    content = path.read_bytes()

    assert path.stat().st_mode & 0o777 == 0o600
    assert open_encryption(path).primary == first.primary
    assert path.read_bytes() == content


def test_a_file_that_others_may_read_or_that_is_damaged_is_refused(tmp_path):
    path = tmp_path / "keys.json"
    open_encryption(path)
    path.chmod(0o640)
    with pytest.raises(StoreOpenError, match="chmod 600"):
        read_keys(path)
    path.chmod(0o600)
    path.write_text("{")
    with pytest.raises(StoreOpenError, match="cannot be used"):
        read_keys(path)


def test_a_rotation_puts_a_new_key_in_front(tmp_path):
    path = tmp_path / "keys.json"
    old = open_encryption(path).primary
    keys = rotate(path)

    assert [key.name for key in keys][1:] == [old]
    assert read_keys(path) == keys


async def test_no_file_of_the_store_ever_holds_a_secrets_plaintext(tmp_path):
    path = tmp_path / "keys.json"
    options = StoreOptions(policy=SnapshotPolicy(kept=1), encryption=open_encryption(path))
    async with open_store(tmp_path / "store", stamp=stamp, clock=ManualClock(), options=options) as store:
        await put(store, SECRETS_PREFIX + "default/hush", PLAIN)
        await put(store, PODS + "x/open", PLAIN + 1)
        await store.snapshots.take("request")
        await put(store, SECRETS_PREFIX + "default/hush", PLAIN)
        assert decode(store.get(SECRETS_PREFIX + "default/hush"))["data"] == PLAIN
    contents = {file.name: file.read_bytes() for file in (tmp_path / "store").iterdir()}
    assert sorted(name.rpartition(".")[2] for name in contents) == ["lock", "log", "snapshot"]
    for name, content in contents.items():
        assert str(PLAIN).encode() not in content, name
        if name != "lock":
            assert str(PLAIN + 1).encode() in content, name
    async with open_store(tmp_path / "store", stamp=stamp, clock=ManualClock(), options=options) as store:
        assert decode(store.get(SECRETS_PREFIX + "default/hush"))["data"] == PLAIN


async def test_a_key_is_in_use_while_a_snapshot_or_the_log_needs_it(tmp_path):
    path = tmp_path / "keys.json"
    encryption = open_encryption(path)
    old = encryption.primary
    options = StoreOptions(policy=SnapshotPolicy(kept=1), encryption=encryption)
    storage = storage_of(tmp_path / "store", options)
    async with open_store(tmp_path / "store", stamp=stamp, clock=ManualClock(), options=options) as store:
        await put(store, SECRETS_PREFIX + "default/hush", PLAIN)
        assert keys_in_use(storage) == {old}
        encryption.use(rotate(path))
        await store.snapshots.take("rotate")
        # The segment that held the old one's values is still the newest.
        assert keys_in_use(storage) == {old, encryption.primary}


async def test_a_store_whose_key_is_missing_is_not_opened_and_the_key_is_named(tmp_path):
    path = tmp_path / "keys.json"
    options = StoreOptions(encryption=open_encryption(path))
    async with open_store(tmp_path / "store", stamp=stamp, clock=ManualClock(), options=options) as store:
        await put(store, SECRETS_PREFIX + "default/hush", PLAIN)
    (lost,) = read_keys(path)
    path.unlink()
    options = StoreOptions(encryption=open_encryption(path))
    with pytest.raises(StoreOpenError, match=f"hush is encrypted with key '{lost.name}'"):
        async with open_store(tmp_path / "store", stamp=stamp, clock=ManualClock(), options=options):
            pass
    write_keys(path, (*read_keys(path), lost))
    options = StoreOptions(encryption=open_encryption(path))
    async with open_store(tmp_path / "store", stamp=stamp, clock=ManualClock(), options=options) as store:
        assert store.count(SECRETS_PREFIX) == 1
