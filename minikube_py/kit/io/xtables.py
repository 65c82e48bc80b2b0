"""The iptables programs of a host, as old as 1.4.21 (CentOS 7), with the lock that each of them needs.

Two programs that change the same table at once lose one of the changes, so all of them take a lock: a file since 1.6
(and in RHEL's late 1.4.21), an abstract socket before. `iptables-restore` takes it only when it knows `-w`; where it
does not, both locks are held here while it runs. Never both ways: the program would wait for ourselves.
"""

import asyncio
import errno
import fcntl
import re
import shutil
import socket
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import get_native_id

from minikube_py.kit.io.process import Finished, ProcessError, run_program

LOCK_FILE = Path("/run/xtables.lock")
LOCK_SOCKET = b"\0xtables"
LOCK_TIMEOUT_S = 5
LOCK_POLL_S = 0.05
PROGRAM_TIMEOUT_S = 60.0
SAVE_BYTES_MAX = 1 << 28
_WAIT_SECONDS_SINCE = (1, 6, 0)
_FULLY_RANDOM_SINCE = (1, 6, 2)


class XtablesError(Exception):
    """The programs are missing, refused their input, or the lock was not free in time."""


@dataclass(frozen=True, slots=True)
class Xtables:
    """One flavour of the programs, probed once."""

    name: str
    """`iptables-legacy` or `iptables`."""
    version: tuple[int, ...]
    restore_waits: bool
    """Whether `NAME-restore` knows `-w`."""
    is_legacy: bool
    """Whether rules stand in ip_tables; otherwise the program translates to nf_tables."""

    @property
    def wait_arguments(self) -> tuple[str, ...]:
        """Return how `iptables` itself is told to wait; before 1.6 it took no seconds."""
        return ("-w", str(LOCK_TIMEOUT_S)) if self.version >= _WAIT_SECONDS_SINCE else ("-w",)

    @property
    def fully_random(self) -> bool:
        """Return whether MASQUERADE knows `--random-fully`."""
        return self.version >= _FULLY_RANDOM_SINCE

    async def restore(self, script: str, *, test: bool = False) -> None:
        """Make the changes of `script`, one atomic step for each table; what it does not name stays.

        Raises:
            XtablesError: it was refused (a table that was not committed is as before), or the lock is taken.
        """
        wait = ("-w", str(LOCK_TIMEOUT_S)) if self.restore_waits else ()
        argv = (f"{self.name}-restore", *wait, "--noflush", *(("--test",) if test else ()))
        async with nullcontext() if self.restore_waits else _both_locks():
            finished = await _run(argv, script)
        if finished.exit_code != 0:
            raise XtablesError(f"{argv[0]}: {finished.stderr[:500].strip()}")

    async def save(self, table: str) -> str:
        """Return the rules of a table as `iptables-save` prints them; empty when the kernel has no such table.

        Raises:
            XtablesError: they cannot be read.
        """
        if self.is_legacy and not _is_loaded(table):
            # Asking would load the module, on a host that may not use it at all.
            return ""
        finished = await _run((f"{self.name}-save", "-t", table), "")
        if finished.exit_code != 0:
            raise XtablesError(f"{self.name}-save: {finished.stderr[:500].strip()}")
        return finished.stdout


async def find_xtables(names: tuple[str, ...] = ("iptables-legacy", "iptables")) -> Xtables:
    """Return the programs of this host, of the first flavour that is there: the legacy one, unless `names` says more.

    Raises:
        XtablesError: there are none, or they do not run.
    """
    name = next((n for n in names if shutil.which(f"{n}-restore")), None)
    if name is None:
        raise XtablesError(f"not installed: {' or '.join(f'{n}-restore' for n in names)}")
    printed = (await _run((name, "--version"), "")).stdout
    found = re.search(r"v(\d+)\.(\d+)\.(\d+)", printed)
    if found is None:
        raise XtablesError(f"{name} --version says {printed.strip()!r}")
    # A program that does not know the option complains, goes on, and ends with 0.
    waits = await _run((f"{name}-restore", "-w", "1", "--noflush"), "\n")
    return Xtables(
        name,
        tuple(int(part) for part in found.groups()),
        restore_waits=not re.search(r"option|Usage", waits.stderr),
        is_legacy="nf_tables" not in printed,
    )


def _is_loaded(table: str) -> bool:
    # Of this thread, not of the process's first one (/proc/net): tests have a host for each thread.
    names = Path(f"/proc/self/task/{get_native_id()}/net/ip_tables_names")
    return names.exists() and table in names.read_text().split()


async def _run(argv: tuple[str, ...], stdin: str) -> Finished:
    try:
        return await run_program(
            argv, stdin=stdin.encode(), timeout_s=PROGRAM_TIMEOUT_S, output_bytes_max=SAVE_BYTES_MAX
        )
    except ProcessError as error:
        raise XtablesError(str(error)) from error


@asynccontextmanager
async def _both_locks() -> AsyncIterator[None]:
    held = await asyncio.to_thread(_take_both_locks)
    try:
        yield
    finally:
        held.close()


def _take_both_locks() -> ExitStack:
    """Take the file's and the socket's lock, in the order in which RHEL's programs take them."""
    deadline_s = time.monotonic() + LOCK_TIMEOUT_S
    with ExitStack() as stack:
        file = stack.enter_context(LOCK_FILE.open("a"))
        name = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        while not _try_flock(file.fileno()) or not _try_bind(name):
            if time.monotonic() > deadline_s:
                raise XtablesError(f"another program holds the xtables lock for {LOCK_TIMEOUT_S} s")
            time.sleep(LOCK_POLL_S)
        return stack.pop_all()


def _try_flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _try_bind(name: socket.socket) -> bool:
    try:
        name.bind(LOCK_SOCKET)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return False
        raise
    return True
