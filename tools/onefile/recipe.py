"""What the file's Python is made of: versions and source packages.

Security updates of Debian reach a build by `--fresh`: a finished part's key holds what is said here, not what the
index serves today, so that a second build needs no look-up.
"""

from dataclasses import dataclass

ZIG_VERSION = "0.14.1"
GLIBC_MAX = (2, 17)
"""CentOS 7's. No symbol of a later version may be needed."""
TARGET = "x86_64-linux-gnu.2.17"
STATIC_TARGET = "x86_64-linux-musl"
"""The stub's: it must start, and explain what is missing, where there is no C library at all."""
PYTHON = "3.13"

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
