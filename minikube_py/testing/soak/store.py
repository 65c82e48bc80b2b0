"""`kill -9` of a process with 64 writers, again and again: nothing lost, nothing made up, no watch with a gap."""

import asyncio
import shutil
import time
from pathlib import Path
from tempfile import mkdtemp

from minikube_py.testing.kill_rounds import Totals, run_rounds

ROUNDS_MIN = 200


def run(minutes: float, seed: int) -> str:
    """Run at least ROUNDS_MIN rounds, and more until `minutes` are over; returns what was done.

    Raises:
        KillFaultError: a promise was broken; the store stays for a look.
    """
    folder = Path(mkdtemp(prefix="mkpy-soak-store-"))
    deadline_s = time.monotonic() + minutes * 60
    totals = Totals()
    while totals.rounds < ROUNDS_MIN or time.monotonic() < deadline_s:
        number = totals.rounds
        more = asyncio.run(run_rounds(folder / str(number), 20, seed + number))
        totals = totals.plus(more)
        shutil.rmtree(folder / str(number))
    folder.rmdir()
    return (
        f"{totals.rounds} kills, {totals.acknowledged} acknowledged and {totals.unanswered} unanswered writes, "
        f"{totals.reads} reads, {totals.watched} watch events: 0 lost, 0 phantoms, 0 gaps"
    )
