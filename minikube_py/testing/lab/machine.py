"""What a lab does to this machine: namespaces, links, daemons; everything is ended by process id, never by name."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from minikube_py.install.io.host_inventory import mount_points
from minikube_py.testing.lab.layout import HostLayout, subnet_candidates

SUBNET_CLAIMS = Path("/run/minikube-py-lab-subnets")
"""One symbolic link for each subnet in use, to the folder of the lab that has it: making a link is atomic."""
DOCKER_TIMEOUT_S = 60.0


class LabError(Exception):
    """Something of the lab did not work; the message says what and where to look."""


def run(argv: Sequence[str], *, check: bool = True, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a program to its end.

    Raises:
        LabError: it failed and `check` is set.
    """
    done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout_s, check=False)
    if check and done.returncode:
        raise LabError(f"{' '.join(argv)} ended with {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done


def in_host(host: HostLayout, argv: Sequence[str]) -> list[str]:
    """Return the command that runs `argv` on the host."""
    # Not `ip netns exec`: it mounts a fresh /sys, which hides the cgroup mounts from dockerd.
    namespaces = [f"--net=/run/netns/{host.netns}"]
    if host.init_pid:
        namespaces += [f"--target={host.init_pid}", "--mount", "--pid", "--cgroup", "--uts", "--ipc"]
    return ["nsenter", *namespaces, "--", *argv]


def claim_subnet(folder: Path, claims: Path = SUBNET_CLAIMS) -> int:
    """Return the number of the subnet that belongs to the lab in `folder` until it is released; make the folder.

    A claim whose folder is gone is void.

    Raises:
        LabError: every subnet is taken.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    claims.mkdir(parents=True, exist_ok=True)
    for number in subnet_candidates(folder):
        link = claims / str(number)
        if link.is_symlink() and not link.exists():
            link.unlink(missing_ok=True)
        with suppress(FileExistsError):
            link.symlink_to(folder)
        with suppress(FileNotFoundError):  # it was another lab's, and is given back
            if link.readlink() == folder:
                return number
    raise LabError(f"every subnet of labs is taken: see {claims}")


def release_subnet(folder: Path, claims: Path = SUBNET_CLAIMS) -> None:
    """Give the lab's subnet back."""
    for link in claims.iterdir():
        with suppress(FileNotFoundError):  # another lab has just given its own back
            if link.readlink() == folder.absolute():
                link.unlink()


def start_daemon(argv: Sequence[str], log_path: Path) -> int:
    """Start a program in a session of its own, its output in `log_path`, and return its process id."""
    # As on a user's host: Python keeps its compiled modules, without which every start compiles some 400 of them.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=environment,
        )
    return process.pid


def start_dockerd(host: HostLayout, flags: Sequence[str] = ()) -> int:
    """Start the host's Docker engine, with `flags` besides, and return its process id."""
    argv = [
        "dockerd",
        f"--data-root={host.dir}/docker",
        f"--exec-root={host.dir}/exec",
        f"--pidfile={host.dir}/docker.pid",
        f"--host=unix://{host.docker_socket}",
        *flags,
    ]
    return start_daemon(in_host(host, argv), host.docker_log)


def wait_docker(host: HostLayout, pid: int) -> None:
    """Wait until the engine that was started as process `pid` answers.

    Raises:
        LabError: it ended, or does not answer.
    """

    def answers() -> bool:
        if not is_running(pid):
            raise LabError(f"dockerd of {host.name} ended: see {host.docker_log}")
        return docker(host, ["version"], check=False).returncode == 0

    wait_until(answers, DOCKER_TIMEOUT_S, f"dockerd of {host.name} does not answer: see {host.docker_log}")


def docker(host: HostLayout, argv: Sequence[str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the docker command against the host's engine."""
    return run(["docker", "-H", f"unix://{host.docker_socket}", *argv], check=check)


def is_running(pid: int) -> bool:
    """Return whether the process runs (a zombie of ours does not)."""
    if pid <= 0:
        return False
    with suppress(ChildProcessError):  # started by another command: not our child to reap
        os.waitpid(pid, os.WNOHANG)
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def stop_process(pid: int, *, sig: int = signal.SIGTERM, timeout_s: float = 40) -> None:
    """Send `sig` and wait for the end; kill what does not end in time."""
    try:
        os.kill(pid, sig)
    except ProcessLookupError:
        return
    deadline = time.monotonic() + timeout_s
    while is_running(pid):
        if time.monotonic() > deadline:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def wait_until(condition: object, timeout_s: float, message: str) -> None:
    """Wait until the callable `condition` is true.

    Raises:
        LabError: it is not true within `timeout_s`; carries `message`.
    """
    assert callable(condition)
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise LabError(message)
        time.sleep(0.05)


def remove_cgroups(root: str) -> None:
    """Remove what is left of a host's cgroups in every hierarchy: what still has a process stays."""
    for place in Path("/sys/fs/cgroup").glob(f"*{root}"):
        for folder, _, _ in os.walk(place, topdown=False):
            with suppress(OSError):
                Path(folder).rmdir()


def unmount_below(folder: Path) -> None:
    """Unmount everything that is mounted below `folder`, the deepest first."""
    for mount in sorted((m for m in mount_points() if m.startswith(f"{folder}/")), reverse=True):
        run(["umount", "-l", mount], check=False)
