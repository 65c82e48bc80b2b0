"""The built file held against what it promises: size, and nothing newer than glibc 2.17 anywhere in it."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.onefile.elf_symbols import ElfNeeds, faults_of, read_needs
from tools.onefile.payload import OneFile, unpack
from tools.onefile.recipe import GLIBC_MAX

BYTES_MAX = 25 * 10**6


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in a file."""

    elf_files: int
    newest_glibc: tuple[int, ...]
    faults: tuple[str, ...]


def check_file(file: OneFile) -> Report:
    """Read every ELF file of a built file, the stub among them."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        unpack(file.payload, tree)
        (tree / "the file itself").write_bytes(file.stub)
        found = {str(path.relative_to(tree)): needs for path, needs in _elf_files(tree)}
    return judge(found, len(file.stub) + len(file.payload))


def _elf_files(tree: Path) -> Iterator[tuple[Path, ElfNeeds]]:
    for path in sorted(tree.rglob("*")):
        if path.is_file() and not path.is_symlink():
            needs = read_needs(path)
            if needs is not None:
                yield path, needs


def judge(found: dict[str, ElfNeeds], size_bytes: int) -> Report:
    """Say what is wrong with a file of `size_bytes` that holds the ELF files `found`, by path."""
    own = {Path(path).name for path in found}
    faults = [f"{path} {fault}" for path, needs in found.items() for fault in faults_of(needs, GLIBC_MAX, own)]
    if size_bytes > BYTES_MAX:
        faults.append(f"it has {size_bytes} bytes, more than {BYTES_MAX}")
    return Report(len(found), max((needs.newest_glibc for needs in found.values()), default=()), tuple(faults))
