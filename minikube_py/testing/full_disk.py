"""A small real disk that is full again and again while a process with 64 writers is killed on it.

When the store makes room it removes snapshots and the log before them, which the judge needs: the process copies each
segment to a folder on another disk before it removes it.
"""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from minikube_py.kit.io.process import kill_child
from minikube_py.store.io.wal import RESERVE_BYTES
from minikube_py.testing.kill_rounds import Judge, Totals, parse_lines, start_writer

DISK_BYTES = 160 << 20
LINES_TIMEOUT_S = 60.0


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a small ext4 on a loop device, or a tmpfs of the same size where there are none; needs root."""
    image, disk = folder / "image", folder / "disk"
    disk.mkdir(parents=True)
    with image.open("wb") as file:
        file.truncate(DISK_BYTES)
    made = subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], capture_output=True, check=False).returncode == 0
    mount = subprocess.run(["mount", "-o", "loop", image, disk], capture_output=True, check=False) if made else None
    if mount is None or mount.returncode != 0:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", disk], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def fill(path: Path, left_bytes: int) -> None:
    """Write a file until about so much room is left."""
    facts = os.statvfs(path.parent)
    with path.open("wb") as file:
        for _ in range(max(0, facts.f_bavail * facts.f_frsize - left_bytes) >> 20):
            file.write(bytes(1 << 20))


async def lines_until(process: asyncio.subprocess.Process, word: bytes, count: int) -> bytes:
    """Return a writer's output up to the line where so many hold `word`.

    Raises:
        TimeoutError: they do not come.
    """
    assert process.stdout is not None
    lines: list[bytes] = []
    async with asyncio.timeout(LINES_TIMEOUT_S):
        while count > 0:
            line = await process.stdout.readline()
            assert line, "the writer ended by itself"
            lines.append(line)
            count -= word in line
    return b"".join(lines)


async def run_full_rounds(rounds: int, seed: int) -> Totals:
    """Fill the disk under 64 writers, sometimes make room again, and kill them; hold all that they saw against it.

    Raises:
        KillFaultError: a promise was broken.
    """
    rng = Random(seed)  # noqa: S311 - rounds must be repeatable
    with TemporaryDirectory(prefix="mkpy-full-") as temporary, small_disk(Path(temporary)) as disk:
        judge = Judge(disk / "store", Path(temporary) / "removed")
        for number in range(rounds):
            judge.judge(parse_lines(await _one_round(disk, judge, f"s{seed}r{number}", rng)))
        return judge.totals


async def _one_round(disk: Path, judge: Judge, life: str, rng: Random) -> bytes:
    process = await start_writer(disk / "store", life, judge.removed)
    assert process.stdout is not None
    filler = disk / "filler"
    try:
        output = await lines_until(process, b'"return"', rng.randrange(1, 150))
        await asyncio.to_thread(fill, filler, RESERVE_BYTES - (rng.randrange(1, 12) << 20))
        output += await lines_until(process, b'"refuse"', rng.randrange(1, 130))
        if rng.random() < 0.4:
            filler.unlink()
            output += await lines_until(process, b'"return"', rng.randrange(1, 300))
    finally:
        kill_child(process.pid)
        output += await process.stdout.read()
        await process.wait()
        filler.unlink(missing_ok=True)
    return output
