"""`minikube-py snapshot` and `secrets-encrypt` on the folder of an agent that does not run."""

import asyncio
import json
import os

import pytest
from click.testing import CliRunner

from minikube_py.agent.errors import AgentError
from minikube_py.agent.state import key_file, open_state, store_dir
from minikube_py.apiserver.canonical import decode
from minikube_py.cli.root import cli
from minikube_py.cli.settings import load
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.store.encryption import SECRETS_PREFIX
from minikube_py.testing.contracts_store import PODS, put


class Folder:
    """A data folder with a store of revisions 1 to 10 of one key, and a Secret before them."""

    def __init__(self, path):
        self.path = path
        self.config = load({"data-dir": str(path), "node-ip": "127.0.0.1"}, None)

    def write(self, values):
        async def work():
            async with open_state(self.config, SystemClock()) as (store, _):
                for value in values:
                    await put(store, PODS + "x/a", value)
                return store.revision

        return asyncio.run(work())

    def value(self):
        async def work():
            async with open_state(self.config, SystemClock()) as (store, _):
                return decode(store.get(PODS + "x/a"))["data"]

        return asyncio.run(work())

    def run(self, *words):
        result = CliRunner(env={"MINIKUBE_PY_NODE_IP": "127.0.0.1"}).invoke(
            cli, [*words, "--data-dir", str(self.path)], catch_exceptions=True
        )
        if isinstance(result.exception, AgentError):
            raise result.exception
        return result

    def ask(self, *words):
        result = self.run(*words, "-o", "json")
        assert result.exit_code == 0, result.output
        return json.loads(result.output)


@pytest.fixture
def folder(tmp_path):
    folder = Folder(tmp_path / "data")
    folder.write(range(1, 11))
    return folder


def test_a_snapshot_is_saved_listed_copied_and_verified(folder, tmp_path):
    facts = folder.ask("snapshot", "save", "--to", str(tmp_path / "copy"))
    items = folder.ask("snapshot", "list")["items"]

    assert (facts["revision"], facts["keys"], facts["reason"]) == (10, 1, "request")
    assert [item["name"] for item in items] == [facts["name"]]
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "copy").read_bytes() == (store_dir(folder.config) / facts["name"]).read_bytes()
    report = folder.ask("snapshot", "verify")
    assert (report["faults"], report["revision"]) == ([], 10)
    assert "everything agrees" in folder.run("snapshot", "verify").output
    assert facts["name"] in folder.run("snapshot", "list").output


def test_a_restore_goes_back_and_can_be_undone(folder):
    done = folder.ask("snapshot", "restore", "--to-revision", "4")
    assert (done["fromRevision"], done["revision"]) == (4, 1_000_000_010)
    assert folder.value() == 4
    folder.ask("snapshot", "restore", "--to-revision", "10")
    assert folder.value() == 10
    assert folder.write([99]) == 2_000_000_011


def test_a_snapshot_file_is_restored_on_a_fresh_host_with_the_key_file(folder, tmp_path):
    async def add_secret():
        async with open_state(folder.config, SystemClock()) as (store, _):
            await put(store, SECRETS_PREFIX + "x/hush", 1)

    asyncio.run(add_secret())
    folder.run("snapshot", "save", "--to", str(tmp_path / "copy"))
    fresh = Folder(tmp_path / "fresh")
    with pytest.raises(AgentError, match="hush is encrypted with key .* not in the key file"):
        fresh.run("snapshot", "restore", str(tmp_path / "copy"))
    key_file(fresh.config).write_bytes(key_file(folder.config).read_bytes())
    fresh.ask("snapshot", "restore", str(tmp_path / "copy"))

    assert fresh.value() == 10


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--to-revision", "11"], "revision 11 is not in the kept log; the nearest is 10"),
        (["--to-time", "2001-01-01T00:00:00Z"], "does not reach back"),
        (["nothing.snapshot"], "no such file"),
        (["00000001-00000000000000ff.snapshot"], "there is no snapshot"),
    ],
)
def test_a_restore_that_cannot_be_is_told(folder, words, message):
    with pytest.raises(AgentError, match=message):
        folder.run("snapshot", "restore", *words)
    assert folder.value() == 10


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--to-time", "yesterday"], "is no time such as"),
        (["--to-time", "2026-01-01T00:00:00"], "names no time zone"),
        (["x", "--to-revision", "1"], "only one of them"),
    ],
)
def test_a_restore_that_is_asked_for_wrongly_is_told(folder, words, message):
    result = folder.run("snapshot", "restore", *words)

    assert result.exit_code == 2
    assert message in result.output


def test_damage_is_told_with_exit_code_1_and_the_way_out_works(folder):
    (log,) = store_dir(folder.config).glob("*.log")
    data = bytearray(log.read_bytes())
    data[data.index(b'"data":8')] ^= 1
    log.write_bytes(data)
    result = folder.run("snapshot", "verify")
    assert (result.exit_code, "damaged at byte" in result.output) == (1, True)
    with pytest.raises(AgentError, match="`minikube-py snapshot restore` goes back"):
        folder.run("snapshot", "save")
    notes = folder.ask("snapshot", "restore")["notes"]

    assert "what was written after revision 7 is lost" in notes[0]
    assert folder.value() == 7


def test_keys_are_shown_rotated_and_pruned(folder):
    (first,) = folder.ask("secrets-encrypt", "status")["keys"]
    assert first["seals"]
    facts = folder.ask("secrets-encrypt", "rotate")
    new, old = folder.ask("secrets-encrypt", "status")["keys"]

    assert (new["name"], new["seals"], new["inUse"]) == (facts["encryptionKeys"][0], True, True)
    assert (old["name"], old["seals"], old["inUse"]) == (first["name"], False, False)
    assert folder.ask("secrets-encrypt", "prune")["removed"] == [first["name"]]
    assert folder.value() == 10


def test_without_a_store_that_is_told(tmp_path):
    with pytest.raises(AgentError, match="no master was started"):
        Folder(tmp_path / "empty").run("snapshot", "list")


@pytest.mark.skipif(os.geteuid() != 0, reason="doctor looks at the state only as root")
def test_doctor_walks_over_the_state_and_names_what_is_damaged(folder, tmp_path):
    def state():
        done = folder.run("doctor", "-o", "json", "--docker-host", f"unix://{tmp_path}/none.sock")
        return next(finding for finding in json.loads(done.stdout) if finding["name"] == "state")

    assert (state()["verdict"], state()["seen"]) == ("ok", "revision 10, 1 keys, 0 snapshots")
    (segment,) = store_dir(folder.config).glob("*.log")
    content = bytearray(segment.read_bytes())
    content[300] ^= 1
    segment.write_bytes(content)
    found = state()
    assert (found["verdict"], "is damaged at byte" in found["seen"]) == ("failure", True)
    assert "snapshot restore" in found["remedy"]
