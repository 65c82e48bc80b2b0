import asyncio

import pytest

from minikube_py.kit.io.control_socket import AgentNotRunningError, ControlForbiddenError, ask_agent, control_socket
from minikube_py.testing.other_user import as_nobody


async def test_a_command_gets_its_answer_even_through_a_very_long_path(tmp_path):
    path = tmp_path / ("long" * 40) / "control.sock"

    async def status():
        return {"node": "n1"}

    async with control_socket(path, {"status": status}):
        assert await ask_agent(path, "status", 5) == {"node": "n1"}
        assert await ask_agent(path, "dance", 5) == {"error": "unknown command 'dance'"}


async def test_a_command_beyond_all_measure_is_refused(tmp_path):
    path = tmp_path / "control.sock"
    async with control_socket(path, {}):
        assert await ask_agent(path, "x" * 70_000, 5) == {"error": "a command of more than 100 bytes"}


@pytest.mark.parametrize("said", [b"", b'{"node": "n'])
async def test_an_agent_that_goes_before_its_answer_is_whole_is_none(tmp_path, said):
    async def go(reader, writer):
        await reader.readline()
        writer.write(said)
        writer.close()

    server = await asyncio.start_unix_server(go, tmp_path / "control.sock")
    with pytest.raises(AgentNotRunningError):
        await ask_agent(tmp_path / "control.sock", "status", 5)
    server.close()


async def test_no_agent_is_told_from_a_silent_one(tmp_path):
    with pytest.raises(AgentNotRunningError):
        await ask_agent(tmp_path / "none" / "control.sock", "status", 5)
    with pytest.raises(AgentNotRunningError):
        await ask_agent(tmp_path / "control.sock", "status", 5)


async def test_a_user_who_may_not_ask_is_told_to_be_root(tmp_path):
    folder = tmp_path / "agent"
    folder.mkdir(mode=0)
    with as_nobody(), pytest.raises(ControlForbiddenError, match=f"cannot read {folder}: run this as root"):
        await ask_agent(folder / "control.sock", "status", 5)
