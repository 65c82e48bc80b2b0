"""The programs are shell scripts that answer as some version of the real ones does."""

import fcntl
import socket

import pytest

from minikube_py.kit.io import xtables
from minikube_py.kit.io.xtables import XtablesError, find_xtables

OLD = "1.4.21"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install programs of a version; the only ones on the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(xtables, "LOCK_FILE", tmp_path / "xtables.lock")
    monkeypatch.setattr(xtables, "LOCK_SOCKET", f"\0{tmp_path}".encode())

    def make(name: str, version: str, *, knows_wait: bool, restore: str = "exit 0") -> None:
        complaint = "" if knows_wait else '[ "$1" = -w ] && echo "iptables-restore: invalid option -- w" >&2'
        scripts = {name: f"echo 'iptables v{version}'", f"{name}-restore": f"{complaint}\n{restore}"}
        for program, text in scripts.items():
            (tmp_path / program).write_text(f"#!/bin/sh\n{text}\n")
            (tmp_path / program).chmod(0o755)

    return make


async def test_the_legacy_programs_are_taken_where_both_are_there(install):
    install("iptables", "1.8.9 (nf_tables)", knows_wait=True)
    assert not (await find_xtables()).is_legacy
    install("iptables-legacy", "1.8.9 (legacy)", knows_wait=True)

    found = await find_xtables()

    assert (found.name, found.version, found.is_legacy) == ("iptables-legacy", (1, 8, 9), True)
    assert (found.restore_waits, found.wait_arguments, found.fully_random) == (True, ("-w", "5"), True)


async def test_an_old_version_is_told_only_what_it_knows(install):
    install("iptables", OLD, knows_wait=False)

    found = await find_xtables()

    assert (found.restore_waits, found.wait_arguments, found.fully_random) == (False, ("-w",), False)


async def test_without_programs_the_error_names_them(install):
    with pytest.raises(XtablesError, match="not installed: iptables-legacy-restore or iptables-restore"):
        await find_xtables()


async def test_a_refused_script_tells_what_the_program_said(install):
    install("iptables", OLD, knows_wait=False, restore="[ $1 = -w ] || { echo 'line 3 failed' >&2; exit 1; }")

    with pytest.raises(XtablesError, match="line 3 failed"):
        await (await find_xtables()).restore("*nat\nCOMMIT\n")


async def test_both_locks_are_held_while_an_old_restore_runs(install, tmp_path):
    probe = (
        f"[ $1 = -w ] || /bin/sh -c 'exec 9>>{tmp_path}/xtables.lock; /usr/bin/flock -n 9 || echo busy >&2; exit 1'"
    )
    install("iptables", OLD, knows_wait=False, restore=probe)

    with pytest.raises(XtablesError, match="busy"):
        await (await find_xtables()).restore("*nat\nCOMMIT\n")


@pytest.mark.parametrize("lock", ["file", "socket"])
async def test_a_lock_that_another_holds_too_long_is_an_error(install, monkeypatch, lock):
    install("iptables", OLD, knows_wait=False)
    monkeypatch.setattr(xtables, "LOCK_TIMEOUT_S", 0.02)
    monkeypatch.setattr(xtables, "LOCK_POLL_S", 0.005)
    programs = await find_xtables()
    with xtables.LOCK_FILE.open("a") as file, socket.socket(socket.AF_UNIX) as name:
        if lock == "file":
            fcntl.flock(file, fcntl.LOCK_EX)
        else:
            name.bind(xtables.LOCK_SOCKET)

        with pytest.raises(XtablesError, match="another program holds the xtables lock"):
            await programs.restore("*nat\nCOMMIT\n")
    await programs.restore("*nat\nCOMMIT\n")
