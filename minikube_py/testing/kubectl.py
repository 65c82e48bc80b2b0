"""The kubectls of this machine, and one that runs with a home of its own: for contract tests of the API server."""

import asyncio
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TIMEOUT_S = 90.0


def find_kubectls() -> Mapping[str, Path]:
    """Return every `kubectl.1.NN` beside the kubectl in PATH, or that one alone; empty when there is none."""
    found = shutil.which("kubectl")
    if found is None:
        return {}
    folder = Path(found).resolve().parent
    names = [path.name for path in folder.iterdir() if re.fullmatch(r"kubectl\.1\.\d+", path.name)]
    versions = sorted((name.removeprefix("kubectl.") for name in names), key=lambda version: int(version[2:]))
    return {version: folder / f"kubectl.{version}" for version in versions} or {"default": Path(found)}


KUBECTLS = find_kubectls()
"""Path by version, the newest last."""
NEWEST = list(KUBECTLS)[-1] if KUBECTLS else "none"


@dataclass(frozen=True, slots=True)
class Ran:
    """How a kubectl ended."""

    code: int
    out: str
    err: str


class Kubectl:
    """One kubectl binary; `home` holds its kubeconfig, as `config`, and its caches; `settings` are more variables."""

    def __init__(self, binary: Path, home: Path, settings: Mapping[str, str] | None = None) -> None:
        self.binary = binary
        self.home = home
        self._settings = settings or {}

    def having(self, **settings: str) -> "Kubectl":
        """Return the same kubectl with these variables in its environment (`KUBECTL_APPLYSET=true`)."""
        return Kubectl(self.binary, self.home, {**self._settings, **settings})

    async def start(self, *args: str) -> asyncio.subprocess.Process:
        """Start it."""
        own = {"HOME": str(self.home), "KUBECONFIG": str(self.home / "config"), "PATH": "/usr/bin:/bin"}
        env = {**own, **self._settings}
        return await asyncio.create_subprocess_exec(
            self.binary,
            *args,
            env=env,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, *args: str, stdin: str = "") -> Ran:
        """Run it to its end."""
        process = await self.start(*args)
        async with asyncio.timeout(TIMEOUT_S):
            out, err = await process.communicate(stdin.encode())
        return Ran(process.returncode or 0, out.decode(), err.decode())

    async def __call__(self, *args: str, stdin: str = "") -> str:
        """Run it and return what it printed; it must succeed."""
        ran = await self.run(*args, stdin=stdin)
        assert ran.code == 0, f"kubectl {' '.join(args)}: {ran.out}{ran.err}"
        return ran.out
