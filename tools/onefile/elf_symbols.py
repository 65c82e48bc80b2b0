"""Which symbol versions and libraries an ELF file needs: with one too new it does not start at all."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection, GNUVerSymSection
from elftools.elf.sections import SymbolTableSection

_VERSION = re.compile(r"GLIBC_(\d+(?:\.\d+)+)")
HOST_LIBRARIES = frozenset(
    {
        "libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1",
        "ld-linux-x86-64.so.2",
        # Not glibc's, but glibc loads it to end a thread, and the distributions' packages of glibc depend on it.
        "libgcc_s.so.1",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ElfNeeds:
    """What one ELF file asks of the host."""

    symbols: tuple[tuple[str, str], ...]
    """Each needed symbol that has a version, with that version (`memcpy`, `GLIBC_2.14`)."""
    libraries: tuple[str, ...]
    """The libraries that must be there by name."""

    @property
    def newest_glibc(self) -> tuple[int, ...]:
        """The highest version of glibc among the symbols; empty when it needs none."""
        return max((number for _, version in self.symbols if (number := glibc_version(version))), default=())


def glibc_version(name: str) -> tuple[int, ...]:
    """Return a version's numbers (`GLIBC_2.2.5`: 2, 2, 5); empty for another library's or a private one."""
    found = _VERSION.fullmatch(name)
    return tuple(int(part) for part in found[1].split(".")) if found else ()


def read_needs(path: Path) -> ElfNeeds | None:
    """Return what an ELF file needs; None for any other file."""
    with path.open("rb") as file:
        if file.read(4) != b"\x7fELF":
            return None
        try:
            elf = ELFFile(file)
            dynamic = elf.get_section_by_name(".dynamic")
            tags = dynamic.iter_tags("DT_NEEDED") if isinstance(dynamic, DynamicSection) else ()
            libraries = [str(tag.needed) for tag in tags]  # type: ignore[attr-defined] # set by the tag's kind
            return ElfNeeds(tuple(sorted(set(_versioned_symbols(elf)))), tuple(libraries))
        except ELFError as error:
            raise ValueError(f"{path} is a broken ELF file: {error}") from error


def _versioned_symbols(elf: ELFFile) -> Iterator[tuple[str, str]]:
    needed = elf.get_section_by_name(".gnu.version_r")
    numbers = elf.get_section_by_name(".gnu.version")
    symbols = elf.get_section_by_name(".dynsym")
    if not isinstance(needed, GNUVerNeedSection):
        return
    assert isinstance(numbers, GNUVerSymSection)
    assert isinstance(symbols, SymbolTableSection)
    names = {aux["vna_other"]: aux.name for _, auxiliaries in needed.iter_versions() for aux in auxiliaries}
    for number, entry in enumerate(numbers.iter_symbols()):
        version = names.get(entry["ndx"])
        if version is not None:
            yield symbols.get_symbol(number).name, version


def faults_of(needs: ElfNeeds, glibc_max: tuple[int, ...], own_libraries: Collection[str]) -> Iterator[str]:
    """Yield what a host with glibc `glibc_max` and nothing else lacks for a file to be loaded."""
    for symbol, version in needs.symbols:
        if glibc_version(version) > glibc_max:
            yield f"needs the symbol {symbol} of {version}"
    for library in needs.libraries:
        if library not in HOST_LIBRARIES and library not in own_libraries:
            yield f"needs the library {library}, which a host may not have"
