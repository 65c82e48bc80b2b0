"""Running the build's programs: quiet while all is well, with the last lines of the log when it is not."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

LINES_SHOWN = 30


class BuildError(Exception):
    """The file cannot be built; the message says which step failed and why."""


class Steps:
    """Runs programs one after the other, their output in one log."""

    def __init__(self, log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        self.environment = {**os.environ, **(environment or {})}

    def run(self, argv: Sequence[str | Path], *, cwd: Path, **more: str) -> None:
        """Run a program in `cwd` to its end, with `more` in its environment.

        Raises:
            BuildError: it failed.
        """
        words = [str(word) for word in argv]
        with self.log.open("ab") as log:
            log.write(f"\n$ {' '.join(words)}  (in {cwd})\n".encode())
            log.flush()
            start = log.tell()
            done = subprocess.run(
                words, cwd=cwd, env={**self.environment, **more}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                check=False,
            )  # fmt: skip
        if done.returncode:
            with self.log.open("rb") as log:
                log.seek(start)
                last = log.read().decode(errors="replace").splitlines()[-LINES_SHOWN:]
            raise BuildError("\n".join([f"`{' '.join(words[:4])} …` failed ({done.returncode}):", *last]))


def output_of(argv: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> str:
    """Return what a program prints.

    Raises:
        BuildError: it failed.
    """
    words = [str(word) for word in argv]
    done = subprocess.run(
        words, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BuildError(f"`{' '.join(words)}` failed ({done.returncode}): {done.stderr.strip()}")
    return done.stdout


@contextmanager
def told(what: str) -> Iterator[None]:
    """Print what is done and, at its end, how long it took."""
    print(f"{what} …", flush=True)
    began = time.perf_counter()
    yield
    print(f"  {time.perf_counter() - began:.0f} s", flush=True)
