"""Where the build's sources come from."""

import pytest

from tools.onefile.steps import BuildError
from tools.onefile.toolchain import chosen_patches, newest_first, sources_list

OWN = "http://mirror.example/debian bookworm\nhttps://other.example/repository nodistro\n"
SECURITY = "http://mirror.example/debian-security bookworm-security\n"


def test_suites_come_from_the_mirrors_that_the_host_uses():
    lines = sources_list(OWN + SECURITY).splitlines()
    assert [line.split()[-3:] for line in lines] == [
        ["http://mirror.example/debian", "trixie", "main"],
        ["http://mirror.example/debian", "trixie-updates", "main"],
        ["http://mirror.example/debian-security", "trixie-security", "main"],
    ]
    assert all(line.startswith("deb-src ") for line in lines)


def test_host_without_security_updates_is_refused():
    with pytest.raises(BuildError, match="build on a Debian host"):
        sources_list(OWN)


def test_versions_are_ordered_by_debians_rules():
    text = "".join(
        f"Package: openssl\nVersion: {version}\n\n"
        for version in ("3.5.7-1~deb13u2", "3.5.10-1", "3.5.7-1", "3.5.7-1~deb13u10", "3.5.7-1")
    )
    assert newest_first(text) == ["3.5.10-1", "3.5.7-1", "3.5.7-1~deb13u10", "3.5.7-1~deb13u2"]


def test_chosen_patches_keep_their_order():
    assert chosen_patches("multiarch.diff\nCVE-2.patch\n#off.patch\nCVE-1.patch\n", "*.patch") == [
        "CVE-2.patch",
        "CVE-1.patch",
    ]
