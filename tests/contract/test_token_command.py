"""`minikube-py token` against a real master's API: what it prints, and what the cluster comes to know."""

import asyncio
import json

import pytest
from click.testing import CliRunner

from minikube_py.agent.errors import AgentError
from minikube_py.api.join_token_secrets import TokenRecord, secret_of
from minikube_py.api.join_tokens import parse_token
from minikube_py.api.resources import SECRETS
from minikube_py.cli.token import token
from minikube_py.client.io.join_client import JoinClient
from minikube_py.client.join_faults import JoinRefusedError
from minikube_py.kit.io.keys import new_key_pem
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.kubelet.node_certificates import build_request, wanted_client
from minikube_py.testing.joinable_cluster import joinable_cluster

CLOCK = SystemClock()
DAY_S = 86400.0


class Master:
    """The command line on the host of a cluster's master."""

    def __init__(self, cluster, data_dir) -> None:
        self.cluster = cluster
        self._where = (
            f"--data-dir={data_dir}",
            "--node-ip=127.0.0.1",
            f"--https-listen-port={cluster.server.http.port}",
        )

    async def run(self, *argv: str) -> str:
        """Return what the command prints.

        Raises:
            AgentError: it failed.
        """
        result = await asyncio.to_thread(CliRunner().invoke, token, [*argv, *self._where])
        if isinstance(result.exception, AgentError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output

    async def listed(self) -> list[dict]:
        return json.loads(await self.run("list", "-o", "json"))

    async def join(self, text: str, name: str) -> bytes:
        client = JoinClient(self.cluster.url, parse_token(text), CLOCK, "test/1")
        await client.trust()
        return await client.join(build_request(wanted_client(name), new_key_pem()))


@pytest.fixture
async def master(tmp_path):
    async with joinable_cluster(tmp_path / "server" / "tls") as cluster:
        yield Master(cluster, tmp_path)


async def test_the_token_that_is_printed_lets_a_host_in_until_it_is_deleted(master):
    text = (await master.run("create")).strip()
    await master.join(text, "n1")
    token_id = parse_token(text).id

    assert await master.run("delete", token_id) == f"token {token_id} deleted\n"
    assert await master.listed() == []
    with pytest.raises(JoinRefusedError, match="was deleted"):
        await master.join(text, "n2")


async def test_the_list_says_who_joined_by_what_and_never_a_secret(master):
    text = (await master.run("create", "--uses", "2", "--ttl", "90m", "--description", "rack 7")).strip()
    await master.join(text, "n1")
    (row,) = await master.listed()
    table = await master.run("list")

    assert (row["uses"], row["nodes"], row["description"]) == (2, ["n1"], "rack 7")
    assert table.splitlines()[1].split() == [row["id"], "89m", "1/2", "n1", "rack", "7"]
    secret = parse_token(text).credential.partition(".")[2]
    assert secret not in table + json.dumps(row)
    assert secret not in json.dumps((await master.cluster.client.list(SECRETS)).items)


async def test_the_whole_command_can_be_printed_for_the_other_host(master):
    command = (await master.run("create", "--print-join-command", "--ttl", "0")).split()
    facts = json.loads(await master.run("create", "-o", "json", "--ttl", "0"))

    assert command[:4] == ["minikube-py", "agent", "--server", master.cluster.url]
    assert await master.join(command[5], "n1")
    assert facts["command"] == f"minikube-py agent --server {master.cluster.url} --token {facts['token']}"
    assert facts["expires"] is None


async def test_a_token_is_deleted_however_it_is_named(master):
    whole, credential = (
        (await master.run("create")).strip(),
        parse_token((await master.run("create")).strip()).credential,
    )
    await master.run("delete", whole, credential)

    assert await master.listed() == []


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("delete", "abcdef"), "there is no token abcdef"),
        (("delete", "../abc"), "named by its ID"),
        (("create", "--ttl", "soon"), "--ttl soon"),
        (("create", "--uses", "1001"), "--uses 1001: 1 to 1000"),
        (("create", "--uses=-1"), "--uses -1"),
    ],
)
async def test_what_makes_no_sense_is_said(master, argv, words):
    with pytest.raises(AgentError, match=words):
        await master.run(*argv)
    assert await master.listed() == []


async def test_a_token_that_expired_long_ago_goes_when_another_one_is_made(master):
    now_s = int(CLOCK.wall_s())
    for token_id, expired_s in (("oldold", now_s - 2 * DAY_S), ("recent", now_s - 60)):
        await master.cluster.client.create(
            SECRETS, secret_of(TokenRecord(token_id, "digest", expires_at_s=expired_s))
        )
    await master.run("create", "--description", "new")

    assert {row["id"] for row in await master.listed()} > {"recent"}
    assert "oldold" not in {row["id"] for row in await master.listed()}
    assert "<expired>" in await master.run("list")


def test_without_a_master_it_says_so(tmp_path):
    result = CliRunner().invoke(token, ["list", f"--data-dir={tmp_path}", "--node-ip=127.0.0.1"])

    assert "no master was started" in str(result.exception)
