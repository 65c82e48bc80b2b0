"""Our dependencies as wheels for the file's Python and for glibc 2.17, in the locked versions."""

from pathlib import Path

from tools.onefile.recipe import PYTHON
from tools.onefile.steps import Steps
from tools.onefile.toolchain import pip_download

PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64")
BUILD_ONLY = frozenset({"setuptools"})
"""Packages of requirements.lock that nothing needs at run time."""


def locked_requirements(text: str) -> tuple[str, ...]:
    """Return the pinned requirements (`name==version`) that go into the file, from the lock file's text."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return tuple(line for line in lines if line and line.partition("==")[0] not in BUILD_ONLY)


def download_wheels(steps: Steps, folder: Path, requirements: tuple[str, ...]) -> list[Path]:
    """Download the wheels into `folder` and return them."""
    wanted = [*(f"--platform={name}" for name in PLATFORMS), f"--python-version={PYTHON}", *requirements]
    return pip_download(steps, folder, wanted)
