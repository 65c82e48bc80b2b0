"""CPython against glibc 2.17, with its libraries inside, in a folder that works wherever it is put."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from tools.onefile import libraries
from tools.onefile.recipe import PYTHON, SOURCES, ZIG_VERSION
from tools.onefile.steps import Steps, told
from tools.onefile.toolchain import SourceArchive

NOT_BUILT = ("_curses", "_curses_panel", "_tkinter", "_gdbm", "_dbm", "_bz2", "_uuid", "_sqlite3", "readline", "nis")
OPTIONS = (
    "--prefix=/python",
    "--without-ensurepip",
    "--disable-test-modules",
    "--without-doc-strings",
    "--with-readline=no",
    "--with-pkg-config=no",
    "--with-builtin-hashlib-hashes=md5,sha1,sha2,sha3,blake2",
)
INPUTS = ("recipe.py", "toolchain.py", "libraries.py", "interpreter.py", "guards.c")
"""The modules that say how the interpreter is made: its key is over their texts."""


def build_interpreter(steps: Steps, compiler: Path, work: Path, target: Path, jobs: int) -> None:
    """Build everything in the folder `work` with the compiler that `steps` have, which lies in the folder `compiler`.

    In `target` are then: `python/` (the installation), `stub/` (the stub's liblzma), `guards/` (see cxx_library.py),
    `licenses/`, `made-of.json` (the versions).
    """
    with told("Debian's sources"):
        archive = SourceArchive(steps, work)
        trees = {}
        versions = {"zig": ZIG_VERSION}
        for source in SOURCES:
            trees[source.name], versions[source.name] = archive.fetch(source)
    made = work / "made"
    prefix = work / "prefix"
    _copy_licenses(made / "licenses", trees, compiler)
    with told("zlib, liblzma, libffi"):
        libraries.build_zlib(steps, trees["zlib"], prefix)
        libraries.build_xz(steps, trees["xz-utils"], prefix, made / "stub")
        libraries.build_ffi(steps, trees["libffi"], prefix)
        libraries.build_guards(steps, made / "guards")
    with told(f"OpenSSL {versions['openssl']}"):
        libraries.build_openssl(steps, trees["openssl"], prefix, jobs)
    with told(f"CPython {versions['python3.13']}"):
        _build_python(steps, trees["python3.13"], prefix, jobs)
        steps.run(["make", "install", f"DESTDIR={made}"], cwd=trees["python3.13"])
    (made / "made-of.json").write_text(json.dumps(versions, indent=2, sort_keys=True) + "\n")
    made.rename(target)


def _copy_licenses(folder: Path, trees: Mapping[str, Path], compiler: Path) -> None:
    """Copy what the licenses of the parts ask to go with every copy of them."""
    folder.mkdir(parents=True)
    for name, tree in trees.items():
        shutil.copy(tree / "debian/copyright", folder / name)
    shutil.copy(compiler / "lib/libc/musl/COPYRIGHT", folder / "musl")


def _build_python(steps: Steps, tree: Path, prefix: Path, jobs: int) -> None:
    modules = {f"py_cv_module_{name}": "n/a" for name in NOT_BUILT}
    settings = {
        "CPPFLAGS": f"-I{prefix}/include",
        # configure's own choice has -g besides, which takes time and is thrown away.
        "OPT": "-DNDEBUG -fwrapv -O3",
        # -s: what is not stripped by the linker would need binutils.
        "LDFLAGS": f"-L{prefix}/lib -s",
        "LIBFFI_CFLAGS": f"-I{prefix}/include",
        "LIBFFI_LIBS": f"{prefix}/lib/libffi.a",
        "LIBLZMA_CFLAGS": f"-I{prefix}/include",
        "LIBLZMA_LIBS": f"{prefix}/lib/liblzma.a -lpthread",
        "ZLIB_CFLAGS": f"-I{prefix}/include",
        "ZLIB_LIBS": f"{prefix}/lib/libz.a",
        "PKG_CONFIG": "false",
    }
    steps.run(["./configure", *OPTIONS, f"--with-openssl={prefix}"], cwd=tree, **modules, **settings)
    steps.run(["make", f"-j{jobs}", "all"], cwd=tree)


def library_folder(python: Path) -> Path:
    """Return the standard library's folder of an installation."""
    return python / "lib" / f"python{PYTHON}"
