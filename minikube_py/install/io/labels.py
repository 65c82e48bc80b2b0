"""Gives files that were installed the labels that SELinux's policy has for their paths.

A new file has its folder's label, which is right. One that was moved there, as a program that somebody downloaded to
their home, keeps the label that it had: systemd starts it in a wrong domain or, where the policy forbids that, not.
"""

import os
from collections.abc import Sequence

from minikube_py.install.plan import InstallError
from minikube_py.kit.io.process import ProcessError, run_program

_RELABEL_TIMEOUT_S = 60.0


def has_labels() -> bool:
    """Return whether this host's kernel runs SELinux."""
    return os.path.exists("/sys/fs/selinux/enforce")


async def restore_labels(paths: Sequence[str], program: str = "restorecon") -> str:
    """Set the labels of files, and of everything in folders; what is not there is passed over.

    Returns:
        Why it was not done, if the host has no such program; empty when it was done.

    Raises:
        InstallError: the program failed; says what it said.
    """
    try:
        done = await run_program([program, "-R", "-i", *paths], timeout_s=_RELABEL_TIMEOUT_S)
    except ProcessError as error:
        return str(error)
    if done.exit_code:
        said = done.stderr.strip() or done.stdout.strip() or f"exit status {done.exit_code}"
        raise InstallError(f"SELinux: {program} could not set the labels: {said}")
    return ""
