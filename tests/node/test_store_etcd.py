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
from minikube_py.apiserver.canonical import decode, stamp
from minikube_py.apiserver.io.certificates import ensure_pki
from minikube_py.apiserver.pki import CertificateSpec
from minikube_py.cli.root import cli
from minikube_py.cli.settings import load as load_config
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.store.check import check_state
from minikube_py.store.encryption import SECRETS_PREFIX
from minikube_py.store.interface import (
    Committed,
    CompactedError,
    Delete,
    Put,
    StoreOpenError,
    StoreReadOnlyError,
    WatcherSlowError,
)
from minikube_py.store.io.etcd_client import EtcdEndpoints
from minikube_py.store.io.etcd_store import open_etcd_store
from minikube_py.store.io.key_file import open_encryption
from minikube_py.store.io.open_store import open_store
from minikube_py.testing.contracts_store import PODS, StoreContract, a_value, delete, put
from minikube_py.testing.contracts_watch import WatchContract
from minikube_py.testing.etcd_server import etcd_cluster, free_ports

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
    async with asyncio.timeout(30):
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
