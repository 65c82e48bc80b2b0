"""The kubectls of this machine, each with a home of its own: for contract tests of the API server."""

import asyncio
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

KUBECTL_DIRS = ("/usr/lib/google-cloud-sdk/bin", "/usr/local/bin", "/usr/bin")
TIMEOUT_S = 30.0


def _found() -> Mapping[str, str]:
    found = {
        binary.name: str(binary)
        for folder in KUBECTL_DIRS
        for binary in sorted(Path(folder).glob("kubectl.1.*"))
        if re.fullmatch(r"kubectl\.1\.\d+", binary.name)
    }
    plain = shutil.which("kubectl")
    return found or ({"kubectl": plain} if plain else {})


FOUND_KUBECTLS = _found()
"""Name -> path, one for each minor version that is installed."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a kubectl ended."""

    code: int
    out: str
    err: str


class Kubectl:
    """One kubectl binary; `home` holds its kubeconfig, as `config`, and its caches."""

    def __init__(self, binary: str, home: Path) -> None:
        self.binary = binary
        self.home = home

    async def run(self, *args: str, stdin: str = "") -> Ran:
        """Run it to its end."""
        env = {"HOME": str(self.home), "KUBECONFIG": str(self.home / "config"), "PATH": "/usr/bin:/bin"}
        process = await asyncio.create_subprocess_exec(
            self.binary,
            *args,
            env=env,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(TIMEOUT_S):
            out, err = await process.communicate(stdin.encode())
        return Ran(process.returncode or 0, out.decode(), err.decode())

    async def __call__(self, *args: str, stdin: str = "") -> str:
        """Run it and return what it printed; it must succeed."""
        ran = await self.run(*args, stdin=stdin)
        assert ran.code == 0, f"kubectl {' '.join(args)}: {ran.out}{ran.err}"
        return ran.out
