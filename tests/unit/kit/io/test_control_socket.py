import pytest

from minikube_py.kit.io.control_socket import AgentNotRunningError, ask_agent, control_socket


async def test_a_command_gets_its_answer_even_through_a_very_long_path(tmp_path):
    path = tmp_path / ("long" * 40) / "control.sock"

    async def status():
        return {"node": "n1"}

    async with control_socket(path, {"status": status}):
        assert await ask_agent(path, "status", 5) == {"node": "n1"}
        assert await ask_agent(path, "dance", 5) == {"error": "unknown command 'dance'"}


async def test_no_agent_is_told_from_a_silent_one(tmp_path):
    with pytest.raises(AgentNotRunningError):
        await ask_agent(tmp_path / "none" / "control.sock", "status", 5)
    with pytest.raises(AgentNotRunningError):
        await ask_agent(tmp_path / "control.sock", "status", 5)
