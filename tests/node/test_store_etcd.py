"""The store over a real etcd (Debian's): the contract, failover, reconnecting, compaction, TLS, encryption."""

import asyncio
import dataclasses
import json
from contextlib import contextmanager, suppress
from random import Random

import pytest
from aetcd import rpc
from click.testing import CliRunner

from minikube_py.agent.state import open_state
from minikube_py.apiserver.canonical import decode, stamp, unstamp
from minikube_py.apiserver.io.certificates import ensure_pki
from minikube_py.apiserver.pki import CertificateSpec
from minikube_py.cli.root import cli
from minikube_py.cli.settings import load as load_config
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.store.check import check_state
from minikube_py.store.disk import Storage
from minikube_py.store.encryption import SECRETS_PREFIX, key_of
from minikube_py.store.interface import (
    Committed,
    CompactedError,
    Delete,
    Put,
    StoreOpenError,
    StoreReadOnlyError,
    WatcherSlowError,
)
from minikube_py.store.io.etcd_client import EtcdClient, EtcdEndpoints, EtcdError
from minikube_py.store.io.etcd_maintenance import restore_all
from minikube_py.store.io.etcd_requests import pages
from minikube_py.store.io.etcd_store import open_etcd_store
from minikube_py.store.io.key_file import open_encryption
from minikube_py.store.io.local_disk import LocalDisk
from minikube_py.store.io.open_store import open_store
from minikube_py.store.layout import parse_layout
from minikube_py.testing.contracts_store import PODS, StoreContract, a_value, delete, put
from minikube_py.testing.contracts_watch import WatchContract
from minikube_py.testing.etcd_server import etcd_cluster
from minikube_py.testing.free_ports import free_ports
from minikube_py.testing.manual_clock import ManualClock

pytestmark = pytest.mark.node


def opened(servers, **options):
    urls = tuple(server.url for server in servers)
    return open_etcd_store(EtcdEndpoints(urls, **options), stamp=stamp, clock=SystemClock())


@pytest.fixture
def etcd(tmp_path):
    with etcd_cluster(tmp_path) as servers:
        yield servers


class TestEtcdStore(StoreContract):
    @pytest.fixture
    async def store(self, etcd):
        async with opened(etcd) as store:
            yield store
            assert check_state(store.state, may_have_gaps=True) == ()


class TestWatchesOfEtcdStore(WatchContract):
    @pytest.fixture
    async def store(self, etcd):
        async with opened(etcd) as store:
            yield store


@pytest.mark.parametrize("seed", range(4))
async def test_a_random_script_does_the_same_as_on_the_embedded_store(etcd, tmp_path, seed):
    rng = Random(seed)
    async with opened(etcd) as theirs, open_store(tmp_path / "s", stamp=stamp, clock=SystemClock()) as ours:
        offset = theirs.revision - ours.revision
        watches = (theirs.watch("", theirs.revision), ours.watch("", ours.revision))
        for step in range(150):
            operations = a_transaction(rng, ours, step)
            mine = await ours.commit(operations)
            their = await theirs.commit([moved(operation, offset) for operation in operations])
            assert outcome(their, -offset) == outcome(mine, 0), operations
            then = ours.revision - rng.randrange(min(20, ours.revision + 1))
            past = ours.range_at(PODS, then, limit=5)
            assert facts(theirs.range_at(PODS, then + offset, limit=5), -offset) == facts(past, 0)
        assert facts(theirs.range(""), -offset) == facts(ours.range(""), 0)
        told = [(await watch.next_batch())[0] for watch in watches]
        assert events(told[0], -offset) == events(told[1], 0)


def a_transaction(rng, store, step):
    operations = []
    for place in rng.sample(range(6), rng.choice((1, 1, 1, 2, 3))):
        key = f"{PODS}x/{place}"
        entry = store.get(key)
        standing = entry.mod_revision if entry else 0
        expect = rng.choice((None, standing, standing, 0, rng.randrange(store.revision + 2)))
        operations.append(Delete(key, expect) if rng.random() < 0.4 else Put(key, a_value(str(place), step), expect))
    return operations


def moved(operation, offset):
    expect = operation.expect + offset if operation.expect else operation.expect
    return dataclasses.replace(operation, expect=expect)


def facts(entries, offset):
    return [
        e and (e.key, e.create_revision + offset, e.mod_revision + offset, decode(e).get("data")) for e in entries
    ]


def outcome(result, offset):
    if isinstance(result, Committed):
        return result.revision + offset, facts(result.entries, offset)
    return result.key, facts([result.current], offset)


def events(told, offset):
    return [
        (e.revision + offset, e.key, facts([e.entry], offset), facts([e.previous], offset), bool(e.last_value))
        for e in told
    ]


async def test_when_members_fail_one_after_the_other_nothing_is_lost_or_told_twice(tmp_path):
    with etcd_cluster(tmp_path, 3) as servers:
        async with opened(servers) as store, asyncio.TaskGroup() as group:
            await put(store, PODS + "x/n", 0)
            watcher = store.watch(PODS, store.revision)
            acknowledged: list[int] = []
            counting = group.create_task(count_for_ever(store, acknowledged))
            for _ in range(4):
                await more_of(acknowledged)
                victim = next(s for s in servers if s.url == store.endpoint)
                victim.kill()
                await more_of(acknowledged)
                victim.start()
            counting.cancel()
            await store.read_barrier()
            told = (await watcher.next_batch())[0]
    revisions = [event.revision for event in told]
    assert revisions == sorted(set(revisions))
    assert set(acknowledged) <= set(revisions)
    values = [decode(event.entry)["data"] for event in told]
    assert values == list(range(1, len(values) + 1)), "a step was lost or done twice"


async def count_for_ever(store, acknowledged):
    """Add one, compare and swap, again when it was rejected or nobody knows."""
    while True:
        entry = store.get(PODS + "x/n")
        value = a_value("n", decode(entry)["data"] + 1)
        try:
            result = await store.commit([Put(PODS + "x/n", value, entry.mod_revision)])
        except StoreReadOnlyError:
            await asyncio.sleep(0.05)
            continue
        if isinstance(result, Committed):
            acknowledged.append(result.revision)


async def more_of(acknowledged):
    """Wait until 20 more writes were acknowledged."""
    wanted = len(acknowledged) + 20
    await until(lambda: len(acknowledged) > wanted)


async def until(holds):
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.01)


async def test_a_member_that_stops_and_returns_ends_no_watch_and_writes_say_why_they_fail(etcd):
    async with opened(etcd) as store:
        await put(store, PODS + "x/a", 1)
        watcher = store.watch(PODS, store.revision)
        etcd[0].kill()
        with pytest.raises(StoreReadOnlyError, match="no etcd endpoint can be reached"):
            for _ in range(3):
                with suppress_unknown():
                    await put(store, PODS + "x/b", 1)
        assert store.get(PODS + "x/a") is not None
        etcd[0].start()
        revision = await put(store, PODS + "x/c", 1)
        told = (await watcher.next_batch())[0]
        assert told[-1].revision == revision


@contextmanager
def suppress_unknown():
    try:
        yield
    except StoreReadOnlyError as error:
        if "not known" not in str(error):
            raise


async def test_when_etcd_has_compacted_what_was_missed_watchers_list_again_and_caches_hear_the_difference(etcd):
    async with Wire(etcd[0]) as wire, opened([wire]) as store, opened(etcd) as other:
        await put(store, PODS + "x/a", 1)
        await put(store, PODS + "x/b", 1)
        await other.read_barrier()
        heard = []
        store.on_commit(heard.extend)
        watcher = store.watch(PODS, store.revision)
        wire.cut()
        await put(other, PODS + "x/a", 2)
        await delete(other, PODS + "x/b")
        await other._client.compact(await put(other, PODS + "x/c", 1))
        assert store.get(PODS + "x/c") is None
        wire.mend()
        await until(lambda: store.get(PODS + "x/c") is not None)

        with pytest.raises(WatcherSlowError):
            await watcher.next_batch()
        assert {(e.key[-1], e.entry is not None) for e in heard} == {("a", True), ("b", False), ("c", True)}
        assert facts(store.range(""), 0) == facts(other.range(""), 0)
        with pytest.raises(CompactedError):
            store.watch(PODS, store.revision - 1)
        assert await put(store, PODS + "x/d", 1) == store.revision


async def test_over_a_wire_that_is_cut_again_and_again_every_event_is_told_once(etcd):
    async with Wire(etcd[0]) as wire, opened([wire]) as store, opened(etcd) as other:
        watcher = store.watch(PODS, store.revision)
        for round_ in range(4):
            for at in range(10):
                await put(other, PODS + f"x/{at}", round_)
            wire.cut()
            for at in range(10):
                await put(other, PODS + f"x/{at}", -round_)
            wire.mend()
        await until(lambda: store.revision == other.revision)
        told = (await watcher.next_batch())[0]

    assert [event.revision for event in told] == list(range(told[0].revision, told[0].revision + 80))


class Wire:
    """A TCP connection to a server that can be cut."""

    def __init__(self, server):
        self.target = int(server.url.rpartition(":")[2])
        self.is_cut = False
        self.writers = []

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self.server.close()
        self.cut()

    def cut(self):
        self.is_cut = True
        while self.writers:
            self.writers.pop().transport.abort()

    def mend(self):
        self.is_cut = False

    async def serve(self, reader, writer):
        if self.is_cut:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        self.writers += [writer, back]
        async with asyncio.TaskGroup() as group:
            group.create_task(self.pump(reader, back))
            group.create_task(self.pump(there, writer))

    async def pump(self, reader, writer):
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()


async def test_other_peoples_keys_are_left_alone_but_their_revisions_are_known(etcd):
    async with opened(etcd) as store:
        await put(store, PODS + "x/a", 1)
        before = store.revision
        watcher = store.watch(PODS, before)
        await store._client.txn(rpc.TxnRequest(success=[rpc.RequestOp(request_put=rpc.PutRequest(key=b"/theirs"))]))
        assert await store.read_barrier() == before + 1
        assert (watcher.progress(), store.count("")) == (before + 1, 1)
        assert await put(store, PODS + "x/b", 1) == before + 2
        assert (await watcher.next_batch())[1] == before + 2
        assert check_state(store.state, may_have_gaps=True) == ()


async def test_secrets_are_sealed_in_etcd_and_a_second_master_reads_them(etcd, tmp_path):
    encryption = open_encryption(tmp_path / "keys.json")
    seals = (encryption.seal, encryption.unseal)
    ends = EtcdEndpoints((etcd[0].url,))
    key = SECRETS_PREFIX + "x/hush"
    async with open_etcd_store(ends, stamp=stamp, clock=SystemClock(), seals=seals) as store:
        await put(store, key, 31415926535)
        raw = await store._client.range(rpc.RangeRequest(key=key.encode()))
        assert raw.kvs[0].value.startswith(b"k8s:enc:aesgcm:v1:")
        assert decode(store.get(key))["data"] == 31415926535
    async with open_etcd_store(ends, stamp=stamp, clock=SystemClock(), seals=seals) as store:
        assert decode(store.get(key))["data"] == 31415926535


async def test_without_any_endpoint_the_start_is_refused_and_says_where_it_looked():
    (unused_tcp_port,) = free_ports(1)
    with pytest.raises(StoreOpenError, match=f"no etcd endpoint can be reached: http://127.0.0.1:{unused_tcp_port}"):
        async with open_etcd_store(
            EtcdEndpoints((f"http://127.0.0.1:{unused_tcp_port}",)), stamp=stamp, clock=SystemClock()
        ):
            pass


def command(folder, *words, url=""):
    """Run a command on a data folder; with `url`, on the etcd there."""
    where = ["--data-dir", str(folder), *(["--datastore-endpoint", url] if url else [])]
    result = CliRunner(env={"MINIKUBE_PY_NODE_IP": "127.0.0.1"}).invoke(cli, [*words, *where, "-o", "json"])
    if result.exception is not None:
        raise result.exception
    return json.loads(result.output)


def in_state(folder, work, url=""):
    """Do something with the store that an agent of this data folder would use."""
    flags = {"data-dir": str(folder), "node-ip": "127.0.0.1", "datastore-endpoint": (url,) if url else ()}

    async def opened_state():
        async with open_state(load_config(flags, None), SystemClock()) as (store, _):
            return await work(store)

    return asyncio.run(opened_state())


def test_the_state_moves_from_etcd_into_the_own_store_and_back(etcd, tmp_path):
    url, theirs, ours = etcd[0].url, tmp_path / "theirs", tmp_path / "ours"
    secret = SECRETS_PREFIX + "x/hush"

    async def fill(store):
        for at in range(300):
            await put(store, PODS + f"x/{at}", at)
        await put(store, secret, 7)

    async def read(store):
        return {entry.key: decode(entry)["data"] for entry in store.range("")}

    async def change(store):
        await put(store, PODS + "x/0", 1000)
        await delete(store, PODS + "x/1")
        await put(store, PODS + "x/new", 1)

    in_state(theirs, fill, url)
    saved = command(theirs, "snapshot", "save", "--to", str(tmp_path / "copy"), url=url)
    assert saved["keys"] == 301
    assert command(theirs, "snapshot", "verify", url=url)["faults"] == []
    keys = ours / "server" / "cred" / "encryption-config.json"
    keys.parent.mkdir(parents=True)
    keys.write_bytes((theirs / "server" / "cred" / "encryption-config.json").read_bytes())
    keys.chmod(0o600)
    command(ours, "snapshot", "restore", str(tmp_path / "copy"))
    before = in_state(theirs, read, url)
    assert in_state(ours, read) == before

    in_state(ours, change)
    command(ours, "snapshot", "save", "--to", str(tmp_path / "back"))
    command(theirs, "snapshot", "restore", str(tmp_path / "back"), url=url)
    after = in_state(theirs, read, url)
    assert after == in_state(ours, read)
    assert (after[PODS + "x/0"], PODS + "x/1" in after, after[PODS + "x/new"]) == (1000, False, 1)
    assert [item["keys"] for item in command(theirs, "snapshot", "list", url=url)["items"]] == [301]


async def test_the_cluster_is_spoken_to_over_tls_with_a_client_certificate(tmp_path):
    serving = CertificateSpec("etcd", (), ("127.0.0.1",))
    pki = ensure_pki(tmp_path / "tls", serving, CertificateSpec("minikube-py"), SystemClock().wall_s())
    files = {"ca": pki.ca.certificate_pem, "crt": pki.serving.certificate_pem, "key": pki.serving.key_pem}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    flags = ["--cert-file", str(tmp_path / "crt"), "--key-file", str(tmp_path / "key"), "--client-cert-auth"]
    with etcd_cluster(tmp_path, 1, *flags, "--trusted-ca-file", str(tmp_path / "ca")) as servers:
        options = {"ca": files["ca"], "certificate": pki.admin.certificate_pem, "key": pki.admin.key_pem}
        async with opened(servers, **options) as store:
            assert await put(store, PODS + "x/a", 1) == store.revision
        with pytest.raises(StoreOpenError, match="no etcd endpoint can be reached"):
            async with opened(servers, ca=files["ca"]):
                pass


class Interrupted(EtcdClient):
    """A client whose process ends after so many transactions."""

    def __init__(self, endpoints, left):
        super().__init__(endpoints)
        self.left = left

    async def txn(self, request):
        if not self.left:
            raise EtcdError("the process was killed")
        self.left -= 1
        return await super().txn(request)


@pytest.mark.parametrize("after", [1, 2, 4])
async def test_a_restore_that_is_interrupted_is_refused_with_the_way_out_which_works(etcd, tmp_path, after):
    endpoints = EtcdEndpoints((etcd[0].url,))
    storage = Storage(LocalDisk(), tmp_path)
    wanted = {f"{PODS}x/{at}": a_value(str(at), at) for at in range(400)}
    async with opened(etcd) as store:
        for at in range(120):
            await put(store, PODS + f"x/{at + 390}", -1)
        client = Interrupted(endpoints, after)
        with pytest.raises(EtcdError, match="killed"):
            await restore_all(client, storage, wanted, "/backup/copy", 0.0)
        await client.close()

        with pytest.raises(StoreOpenError, match="snapshot restore /backup/copy"):
            async with opened(etcd):
                pass
        with pytest.raises(StoreReadOnlyError, match="was interrupted"):
            await store.commit([Put(PODS + "x/0", a_value("0", "not now"), None)])

        client = EtcdClient(endpoints)
        done = await restore_all(client, storage, wanted, "/backup/copy", 0.0)
        await client.close()
        assert done.transactions == 1 + -(-(400 + 110 - 127 * (after - 1)) // 127), "one for the marker"
        assert await store.wait_revision(done.revision, 10.0)
        assert {e.key: unstamp(e.value) for e in store.range("")} == wanted
        await put(store, PODS + "x/after", 1)
    async with opened(etcd) as store:
        assert store.count("") == 401


def test_the_command_refuses_a_half_restored_etcd_and_restores_it(etcd, tmp_path):
    url, folder = etcd[0].url, tmp_path / "data"

    async def fill(store):
        for at in range(5):
            await put(store, PODS + f"x/{at}", at)

    async def interrupt():
        client = Interrupted(EtcdEndpoints((url,)), 1)
        with suppress(EtcdError):
            await restore_all(client, Storage(LocalDisk(), tmp_path), {}, str(tmp_path / "copy"), 0.0)
        await client.close()

    in_state(folder, fill, url)
    command(folder, "snapshot", "save", "--to", str(tmp_path / "copy"), url=url)
    asyncio.run(interrupt())
    with pytest.raises(StoreOpenError, match=f"snapshot restore {tmp_path}/copy"):
        in_state(folder, fill, url)
    assert command(folder, "snapshot", "restore", str(tmp_path / "copy"), url=url)["keys"] == 5
    in_state(folder, fill, url)


def test_the_key_is_rotated_in_etcd_and_the_old_one_goes_when_nothing_needs_it(etcd, tmp_path):
    url, folder = etcd[0].url, tmp_path / "data"
    secrets = [f"{SECRETS_PREFIX}x/{at}" for at in range(300)]

    async def fill(store):
        for key in secrets:
            await put(store, key, key)
        await put(store, PODS + "x/plain", 1)

    async def read(store):
        raw = [kv async for _, kvs in pages(store.client, SECRETS_PREFIX) for kv in kvs]
        return {e.key: decode(e)["data"] for e in store.range("")}, {key_of(kv.value) for kv in raw}, len(raw)

    def rows():
        return [(k["seals"], k["inUse"]) for k in command(folder, "secrets-encrypt", "status", url=url)["keys"]]

    in_state(folder, fill, url)
    before, (old,), _ = in_state(folder, read, url)
    assert rows() == [(True, True)]
    made = command(folder, "secrets-encrypt", "rotate", url=url)
    after, (new,), count = in_state(folder, read, url)

    assert (after, count) == (before, 300)
    assert new != old
    assert made["encryptionKeys"] == [new]
    assert command(folder, "snapshot", "verify", url=url)["faults"] == []
    for path in (folder / "server" / "etcd-snapshots").iterdir():
        if new.encode() not in path.read_bytes():
            path.unlink()  # a scheduled one from before, as retention would
    assert rows() == [(True, True), (False, False)]
    assert command(folder, "secrets-encrypt", "prune", url=url)["removed"] == [old]
    assert in_state(folder, read, url)[0] == before


async def test_snapshots_of_etcd_are_taken_by_themselves_and_the_old_ones_go(etcd, tmp_path):
    clock, folder = ManualClock(), tmp_path / "server" / "etcd-snapshots"
    (tmp_path / "other").mkdir()
    with etcd_cluster(tmp_path / "other") as others:

        def config_of(servers):
            return load_config(
                {"data-dir": str(tmp_path), "node-ip": "127.0.0.1", "datastore-endpoint": (servers[0].url,)}, None
            )

        def names():
            return parse_layout(path.name for path in folder.iterdir()).snapshots

        async with open_state(config_of(etcd), clock) as (store, _):
            for round_ in range(8):
                await put(store, PODS + "x/a", round_)
                assert len(names()) == min(round_, 5)
                clock.move(6 * 3600.0)
                await put(store, PODS + "x/b", round_)
                await until(lambda newest=store.revision: names() and names()[-1].revision == newest)
            await until(lambda: len(names()) == 5)
            clock.move(6 * 3600.0)
            await asyncio.sleep(0.05)
            assert len(names()) == 5, "nothing changed, so there is no snapshot"
        async with open_state(config_of(others), clock) as (store, _):
            clock.move(6 * 3600.0)
            await put(store, PODS + "x/a", 1)
            await until(lambda: names()[-1] == (2, store.revision))
            assert len(names()) == 6, "those of the cluster before stay until this one has enough of its own"
