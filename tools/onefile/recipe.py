"""What the file is made of: versions, source packages and the keys by which finished parts are kept.

Security updates of Debian reach a build by `--fresh`: a key holds what this repository says, not what the index
serves today, so that a second build needs no look-up.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

ZIG_VERSION = "0.14.1"
GLIBC_MAX = (2, 17)
"""CentOS 7's. No symbol of a later version may be needed."""
TARGET = "x86_64-linux-gnu.2.17"
STATIC_TARGET = "x86_64-linux-musl"
"""The stub's: it must start, and explain what is missing, where there is no C library at all."""
PYTHON = "3.13"
PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64")

SUITES = ("trixie", "trixie-updates")
SECURITY_SUITES = ("trixie-security",)


@dataclass(frozen=True, slots=True)
class Source:
    """A source package of Debian."""

    name: str
    patches: str = ""
    """Which of Debian's patches to apply, as a glob; empty: all, as dpkg-source does."""


SOURCES = (
    Source("zlib"),
    Source("xz-utils"),
    Source("libffi"),
    Source("openssl"),
    # The others (*.diff) move files to where a Debian system has them.
    Source("python3.13", patches="*.patch"),
)

BUILD_ONLY = frozenset({"setuptools"})
"""Packages of requirements.lock that nothing needs at run time."""


def key_of(parts: Iterable[str]) -> str:
    """Return the name under which what was made from `parts` is kept."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()[:16]


def locked_requirements(text: str) -> tuple[str, ...]:
    """Return the pinned requirements (`name==version`) that go into the file, from the lock file's text."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return tuple(line for line in lines if line and line.partition("==")[0] not in BUILD_ONLY)
