"""Asks systemd by `systemctl`, whose words CentOS 7's version 219 knows too."""

import asyncio
import os

from minikube_py.install.plan import InstallError
from minikube_py.kit.io.process import ProcessError, run_program

SOON_S = 30.0
POLL_S = 0.2


def systemd_runs() -> bool:
    """Return whether systemd is this host's init (upstream: sd_booted(3))."""
    return os.path.isdir("/run/systemd/system")


async def systemctl(*words: str, timeout_s: float = SOON_S) -> str:
    """Run systemctl and return what it printed.

    Raises:
        InstallError: it failed; says what it said.
    """
    try:
        done = await run_program(["systemctl", *words], timeout_s=timeout_s)
    except ProcessError as error:
        raise InstallError(str(error)) from error
    if done.exit_code:
        said = done.stderr.strip() or done.stdout.strip() or f"exit status {done.exit_code}"
        raise InstallError(f"systemctl {' '.join(words)}: {said}")
    return done.stdout.strip()


async def await_active(unit: str, timeout_s: float) -> None:
    """Wait until a unit that was told to (re)start is active: with Type=notify, until it said READY=1.

    Raises:
        InstallError: it is not within `timeout_s`; carries the last lines of its journal.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    while True:
        shown = await systemctl("show", "-p", "ActiveState", "-p", "SubState", "-p", "Job", unit)
        facts = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
        state = facts["ActiveState"]
        if state == "active" and facts.get("Job", "0") in ("", "0"):
            return
        failed = state == "failed" or facts["SubState"] == "auto-restart"
        if failed or loop.time() > deadline:
            words = ["journalctl", "-u", unit, "-n", "5", "-o", "cat", "--no-pager"]
            said = (await run_program(words, timeout_s=SOON_S)).stdout.strip()
            raise InstallError(f"{unit} {'failed' if failed else f'is not Ready after {timeout_s:g} s'}: {said}")
        await asyncio.sleep(POLL_S)
