"""The steps in their order, each skipped when what it makes is in the cache."""

import functools
import hashlib
import json
import platform
import resource
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from tools.onefile import interpreter, tree
from tools.onefile.cache import Cache, key_of
from tools.onefile.check import Report, check_file
from tools.onefile.cxx_library import free_from_cxx_library
from tools.onefile.payload import NotOneFileError, join, pack, split
from tools.onefile.steps import BuildError, Steps, told
from tools.onefile.stub import compile_stub
from tools.onefile.toolchain import install_compiler
from tools.onefile.wheels import download_wheels, locked_requirements

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent


def build(output: Path, cache: Cache, jobs: int, *, fresh: bool) -> None:
    """Build the file and print what it is.

    Raises:
        BuildError: it cannot be built, or it is not as promised.
    """
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise BuildError("the file is built on Linux on x86_64, for the same")
    began = time.perf_counter()
    with cache.working(fresh=fresh) as work:
        parts = _Parts(cache, work, jobs)
        print(f"Python {tree.python_works(parts.python)}")
        file = join(parts.stub(), [parts.base(), parts.program()])
        made_of = json.loads((parts.interpreter / "made-of.json").read_text())
    output.parent.mkdir(parents=True, exist_ok=True)
    unfinished = output.with_name(f".{output.name}.new")
    unfinished.write_bytes(file)
    unfinished.chmod(0o755)
    print_report(unfinished)
    unfinished.rename(output)
    print("made of " + ", ".join(f"{name} {version}" for name, version in made_of.items()))
    took = f"{time.perf_counter() - began:.0f} s ({_cpu_s():.0f} s of CPU)"
    print(f"{output}: sha256 {hashlib.sha256(file).hexdigest()}, built in {took}")


def _cpu_s() -> float:
    """Return the processor time of this process and of what it ran: what a loaded machine cannot blur."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def print_report(path: Path) -> None:
    """Check a built file and print what was found.

    Raises:
        BuildError: it is not as promised.
    """
    try:
        report: Report = check_file(split(path.read_bytes()))
    except NotOneFileError as error:
        raise BuildError(f"{path}: {error}") from error
    if report.faults:
        raise BuildError("\n".join(f"{path}: {fault}" for fault in report.faults))
    newest = ".".join(map(str, report.newest_glibc))
    print(f"{path.stat().st_size} bytes, {report.elf_files} ELF files, highest symbol version GLIBC_{newest}")


class _Parts:
    """What the file is joined from."""

    def __init__(self, cache: Cache, work: Path, jobs: int) -> None:
        self._cache = cache
        self._work = work
        self._jobs = jobs
        self._steps = Steps(cache.log)
        key = key_of([platform.machine(), *_texts_of(interpreter.INPUTS)])
        self.interpreter = cache.part(f"interpreter-{key}", "the interpreter", self._make_interpreter)
        self.python = self.interpreter / "python"

    @functools.cached_property
    def _compiler(self) -> tuple[Steps, Path]:
        """The steps that have the compiler, and its folder; downloaded when the first part needs it."""
        steps = Steps(self._cache.log)
        with told("the compiler"):
            return steps, install_compiler(steps, self._work / "compiler")

    def _make_interpreter(self, target: Path) -> None:
        interpreter.build_interpreter(*self._compiler, self._work, target, self._jobs)

    def base(self) -> bytes:
        """Return the archive of interpreter and dependencies."""
        requirements = locked_requirements((ROOT / "requirements.lock").read_text())
        key = key_of(
            [
                self.interpreter.name,
                *requirements,
                *_texts_of(("wheels.py", "tree.py", "cxx_library.py", "payload.py")),
            ]
        )

        def make(target: Path) -> None:
            wheels = download_wheels(self._steps, self._work / "wheels", requirements)
            base = self._work / "base"
            tree.make_base(self.python, wheels, base)
            tree.strip_libraries(self._steps, base)
            free_from_cxx_library(self._steps, self._work, base, self.interpreter / "guards")
            shutil.copy(self.interpreter / "made-of.json", base)
            shutil.copytree(self.interpreter / "licenses", base / "licenses")
            target.write_bytes(self._packed(base))

        return self._cache.part(f"base-{key}", "interpreter and dependencies in one archive", make).read_bytes()

    def program(self) -> bytes:
        """Return the archive of this repository's part."""
        with told("the program"):
            program = self._work / "program"
            tree.make_program(ROOT, program)
            return self._packed(program)

    def _packed(self, folder: Path) -> bytes:
        tree.compile_modules(self._steps, self.python, folder, self._jobs)
        return pack(folder)

    def stub(self) -> bytes:
        """Return the program that stands at the file's front."""
        liblzma = self.interpreter / "stub"

        def make(target: Path) -> None:
            compile_stub(self._compiler[0], liblzma, target)

        key = key_of([self.interpreter.name, *_texts_of(("stub.py", "stub.c"))])
        return self._cache.part(f"stub-{key}", "the stub", make).read_bytes()


def _texts_of(names: Sequence[str]) -> list[str]:
    """Return the texts of modules: whoever changes a step changes the key of what it makes."""
    return [(HERE / name).read_text() for name in names]
