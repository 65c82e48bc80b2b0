import asyncio

import pytest

from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.kubelet.cri import ContainerRuntimeError, RuntimeErrorKind
from minikube_py.kubelet.io import pause_network
from minikube_py.kubelet.io.pause_network import PauseNetwork
from minikube_py.testing.awaited_executor import AwaitedExecutor


@pytest.fixture
def proc(tmp_path):
    _show(tmp_path, "self", "net:[1]", "0")
    _show(tmp_path, "1", "net:[1]", "0")
    return tmp_path


def _show(proc, pid, netns, uid):
    (proc / pid / "ns").mkdir(parents=True, exist_ok=True)
    (proc / pid / "ns" / "net").unlink(missing_ok=True)
    (proc / pid / "ns" / "net").symlink_to(netns)
    ids = f"{uid}\t{uid}\t{uid}\t{uid}"
    powers = "0000000000000000" if uid != "0" else "00000000002000c0"
    (proc / pid / "status").write_text(f"State:\tS\nUid:\t{ids}\nGid:\t{ids}\nCapPrm:\t{powers}\nCapEff:\t{powers}\n")


async def test_it_returns_as_soon_as_the_process_has_left(proc):
    # A thread could look while `_show` has changed only a half of what there is to see.
    asyncio.get_running_loop().set_default_executor(AwaitedExecutor())
    _show(proc, "42", "net:[1]", "0")
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(PauseNetwork(SystemClock(), proc).wait_departure(42))
        await asyncio.sleep(0.005)
        assert not waiting.done()
        _show(proc, "42", "net:[42]", "65535")

    assert waiting.done()


async def test_a_process_that_stays_is_refused_in_the_end(proc, monkeypatch):
    monkeypatch.setattr(pause_network, "WAIT_S", 0.01)
    _show(proc, "42", "net:[1]", "0")
    with pytest.raises(ContainerRuntimeError, match=r"has not done so within 0\.01 s") as refusal:
        await PauseNetwork(SystemClock(), proc).wait_departure(42)

    assert refusal.value.kind is RuntimeErrorKind.REFUSED


@pytest.mark.parametrize("pid", [0, 43], ids=["it has no pid", "it is gone"])
async def test_a_process_that_is_gone_is_refused_at_once(proc, pid):
    with pytest.raises(ContainerRuntimeError, match="but ended"):
        await PauseNetwork(SystemClock(), proc).wait_departure(pid)


async def test_where_the_hosts_own_network_cannot_be_read_nothing_has_left_it(tmp_path, monkeypatch):
    monkeypatch.setattr(pause_network, "WAIT_S", 0.01)
    _show(tmp_path, "42", "net:[42]", "65535")
    with pytest.raises(ContainerRuntimeError, match="has not done so"):
        await PauseNetwork(SystemClock(), tmp_path).wait_departure(42)
