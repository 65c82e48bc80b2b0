"""What an ELF file asks of the host."""

import sys
from pathlib import Path

import pytest

from tools.onefile.elf_symbols import ElfNeeds, faults_of, glibc_version, read_needs


@pytest.mark.parametrize(
    ("name", "numbers"),
    [("GLIBC_2.17", (2, 17)), ("GLIBC_2.2.5", (2, 2, 5)), ("GLIBC_PRIVATE", ()), ("OPENSSL_3.0.0", ())],
)
def test_version_is_numbers_and_only_of_glibc(name, numbers):
    assert glibc_version(name) == numbers


def test_symbol_newer_than_the_host_is_named_with_its_version():
    needs = ElfNeeds((("memcpy", "GLIBC_2.14"), ("getrandom", "GLIBC_2.25")), ("libc.so.6",))
    assert list(faults_of(needs, (2, 17), set())) == ["needs the symbol getrandom of GLIBC_2.25"]
    assert needs.newest_glibc == (2, 25)


def test_versions_are_compared_as_numbers():
    needs = ElfNeeds((("a", "GLIBC_2.4"), ("b", "GLIBC_2.17"), ("c", "GLIBC_2.2.5")), ())
    assert needs.newest_glibc == (2, 17)
    assert not list(faults_of(needs, (2, 17), set()))


def test_library_must_be_glibcs_or_come_along():
    needs = ElfNeeds((), ("libm.so.6", "libown.so", "libssl.so.3"))
    assert list(faults_of(needs, (2, 17), {"libown.so"})) == [
        "needs the library libssl.so.3, which a host may not have"
    ]


def test_needs_of_a_real_program_are_read():
    needs = read_needs(Path(sys.executable).resolve())
    assert needs is not None
    assert "libc.so.6" in needs.libraries
    assert "__libc_start_main" in dict(needs.symbols)
    assert (2, 2) < needs.newest_glibc < (3,)


def test_other_files_need_nothing_and_broken_ones_are_refused(tmp_path):
    text, broken = tmp_path / "text", tmp_path / "broken"
    text.write_text("#!/bin/sh\n")
    broken.write_bytes(b"\x7fELF\x02\x01\x01")
    assert read_needs(text) is None
    with pytest.raises(ValueError, match="broken is a broken ELF file"):
        read_needs(broken)
