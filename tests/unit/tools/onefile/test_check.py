"""The judgement on a built file."""

from tools.onefile.check import BYTES_MAX, check_file, judge
from tools.onefile.elf_symbols import ElfNeeds
from tools.onefile.payload import OneFile, pack


def test_fault_names_file_and_symbol():
    found = {"lib/a.so": ElfNeeds((("getrandom", "GLIBC_2.25"),), ("b.so",)), "lib/b.so": ElfNeeds((), ())}
    report = judge(found, 1)
    assert report.faults == ("lib/a.so needs the symbol getrandom of GLIBC_2.25",)
    assert (report.elf_files, report.newest_glibc) == (2, (2, 25))


def test_file_may_be_as_large_as_promised_and_no_larger():
    assert not judge({}, BYTES_MAX).faults
    assert judge({}, BYTES_MAX + 1).faults == ("it has 25000001 bytes, more than 25000000",)


def test_every_elf_file_is_found_the_stub_too(tmp_path):
    minimal = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\x3e\x00" + bytes(44)
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/a.so").write_bytes(minimal)
    (tmp_path / "lib/a.py").write_text("pass\n")
    assert check_file(OneFile(minimal, pack(tmp_path), "name")).elf_files == 2
