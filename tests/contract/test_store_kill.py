"""kill -9 of a process with 16 concurrent writers: everything that was acknowledged is there, nothing half-made."""

import asyncio
import random
import signal
import sys
from pathlib import Path

from minikube_py.apiserver.canonical import decode, stamp
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.store.check import check_state
from minikube_py.store.io.open_store import open_store

WRITER = Path(__file__).with_name("store_writer.py")
ROOT = Path(__file__).parents[2]
ROUNDS = 4


async def write_until_killed(directory: Path, seconds: float) -> list[tuple[str, int, int]]:
    """Return (key, count, revision) of each transaction that was acknowledged before the kill."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(WRITER), str(directory), stdout=asyncio.subprocess.PIPE, env={"PYTHONPATH": str(ROOT)}
    )
    assert process.stdout is not None
    first = await asyncio.wait_for(process.stdout.readline(), 30)
    await asyncio.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    rest = await process.stdout.read()
    await process.wait()
    lines = (first + rest).decode().splitlines()
    return [(key, int(count), int(revision)) for key, count, revision in map(str.split, lines)]


async def test_what_was_acknowledged_before_a_kill_is_there_after_it(tmp_path):
    rng = random.Random(20261124)
    total = 0
    for _ in range(ROUNDS):
        acknowledged = await write_until_killed(tmp_path / "store", rng.uniform(0.02, 0.25))
        total += len(acknowledged)

        async with open_store(tmp_path / "store", stamp=stamp, clock=SystemClock()) as store:
            assert check_state(store.state) == ()
            events = {
                e.revision: e for revision in store.state.history.after(store.compact_revision) for e in revision
            }
            for key, count, revision in acknowledged:
                entry = events[revision].entry
                assert entry is not None
                assert (entry.key, decode(entry)["count"]) == (key, count)
            assert max(revision for _, _, revision in acknowledged) <= store.revision
    assert total > 100
