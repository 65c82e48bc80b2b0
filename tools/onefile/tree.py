"""The folder that is unpacked on a host: the interpreter with our dependencies, and the program itself.

Modules are compiled beforehand and trusted without a look at their sources' times: nothing is written on a host, and
the first start is no slower than the others.
"""

import shutil
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path

from tools.onefile.interpreter import library_folder
from tools.onefile.steps import Steps, output_of

PROGRAM = "bin/minikube-py"
"""The interpreter's name there, so that `ps` and `top` name the program. The stub starts it."""
LIBRARY_NOT_NEEDED = (
    "config-*", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "site-packages/*", "test", "tkinter", "turtle.py",
    "turtledemo", "venv", "_pyrepl", "__phello__", "sqlite3", "dbm", "curses", "**/__pycache__", "lib-dynload/_test*",
    "lib-dynload/_xx*", "lib-dynload/xx*", "lib-dynload/_ctypes_test*",
)  # fmt: skip
PACKAGES_NOT_NEEDED = (
    "**/*.pyi", "**/*.pyx", "**/*.pxd", "**/*.pxi", "**/*.c", "**/*.h", "**/*.hash", "**/tests", "**/__pycache__",
    "pycparser*", "cffi", "cffi-*",
)  # fmt: skip
"""Sources of what is compiled, and what cffi needs to compile: cryptography uses its compiled part alone."""
EMPTY_MODULES = {
    "sqlite3.py": "Empty: pyroute2 imports it for its database of links, which minikube-py does not use.",
}
"""What is imported and not used; the real one would be 2 MB of library."""
PROGRAM_NOT_NEEDED = ("testing", "**/__pycache__")


def make_base(python: Path, wheels: Iterable[Path], target: Path) -> None:
    """Make the part that changes with the interpreter and the dependencies."""
    library = library_folder(target)
    library.parent.mkdir(parents=True)
    (target / "bin").mkdir()
    shutil.copy2(python / "bin" / library.name, target / PROGRAM)
    shutil.copytree(library_folder(python), library, symlinks=True)
    _remove(library, LIBRARY_NOT_NEEDED)
    for name, why in EMPTY_MODULES.items():
        (library / name).write_text(f'"""{why}"""\n')
    packages = library / "site-packages"
    packages.mkdir(exist_ok=True)
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(packages)
    _remove(packages, PACKAGES_NOT_NEEDED)


def strip_libraries(steps: Steps, tree: Path) -> None:
    """Take from the wheels' libraries what only a debugger reads: more than half of their bytes."""
    libraries = sorted(path for path in tree.rglob("*.so*") if path.is_file())
    steps.run(["strip", "--strip-unneeded", *libraries], cwd=tree)


def make_program(root: Path, target: Path) -> None:
    """Make the part that is this repository's: the package without the tests' part, and what says its version."""
    packages = library_folder(target) / "site-packages"
    shutil.copytree(root / "minikube_py", packages / "minikube_py")
    _remove(packages / "minikube_py", PROGRAM_NOT_NEEDED)
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    facts = packages / f"minikube_py-{project['version']}.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )


def compile_modules(steps: Steps, python: Path, tree: Path, jobs: int) -> None:
    """Compile every module below `tree` with the interpreter that will run it."""
    paths = ["-s", str(tree), "-p", "/"]
    options = ["-q", "-f", f"-j{jobs}", "--invalidation-mode", "unchecked-hash", *paths]
    steps.run([python / "bin" / library_folder(python).name, "-I", "-m", "compileall", *options, tree], cwd=tree)


def python_works(python: Path) -> str:
    """Return the interpreter's version, having imported every module that is easily lost in a build."""
    script = (
        "import ctypes, lzma, ssl, sys, zlib, hashlib, asyncio; print(sys.version.split()[0], ssl.OPENSSL_VERSION)"
    )
    return output_of([python / "bin" / library_folder(python).name, "-I", "-c", script]).strip()


def _remove(folder: Path, patterns: Iterable[str]) -> None:
    for pattern in patterns:
        for path in sorted(folder.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
