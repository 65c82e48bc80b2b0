"""`minikube-py upgrade FILE`: another one file in the installed one's place, and back if it does not get Ready."""

import asyncio
from pathlib import Path

import orjson

from minikube_py.agent.errors import AgentError
from minikube_py.agent.installation import READY_TIMEOUT_S, Say
from minikube_py.agent.process import require_root
from minikube_py.install.io.files import HostFiles
from minikube_py.install.io.systemd import await_active, systemctl
from minikube_py.install.plan import PREVIOUS, PROGRAM, CopyProgram, InstallError, unit_name
from minikube_py.install.versions import Version, require_upgradable
from minikube_py.kit.io.process import ProcessError, run_program

VERSION_TIMEOUT_S = 60.0
"""The first start of the one file unpacks its Python."""


def upgrade(offered: Path, say: Say) -> bool:
    """Put `offered` in the installed program's place and restart the unit; pods run on meanwhile.

    Returns:
        Whether it is another program than before.

    Raises:
        AgentError: it is no such program (nothing was changed), or its node did not become Ready (the earlier
            program runs again).
        InstallError: it is older (nothing was changed).
    """
    require_root()
    return asyncio.run(_upgrade(offered, say))


async def _upgrade(offered: Path, say: Say) -> bool:
    files = HostFiles()
    record = files.read_record()
    if record is None:
        raise AgentError("nothing is installed on this host: run `minikube-py install` first")
    if Path(PROGRAM).is_symlink():
        raise AgentError(f"{PROGRAM} is a Python environment's: upgrade that, then restart {unit_name(record.role)}")
    installed, candidate = await _version_of(Path(PROGRAM)), await _version_of(offered)
    require_upgradable(installed, candidate, str(offered))
    if files.apply(CopyProgram(PROGRAM, str(offered)), dry_run=True) == "unchanged":
        say(f"{PROGRAM} is this program already: nothing to do")
        return False
    files.apply(CopyProgram(PREVIOUS, PROGRAM), dry_run=False)
    files.apply(CopyProgram(PROGRAM, str(offered)), dry_run=False)
    say(f"{PROGRAM} is minikube-py {candidate.version} now, was {installed.version}")
    unit = unit_name(record.role)
    try:
        await _restart(unit)
    except (InstallError, asyncio.CancelledError) as error:
        say(f"{PROGRAM} is minikube-py {installed.version} again")
        files.apply(CopyProgram(PROGRAM, PREVIOUS), dry_run=False)
        await _restart(unit)
        why = str(error) or "it was interrupted"
        raise AgentError(
            f"minikube-py {candidate.version} did not become Ready, {installed.version} runs again: {why}"
        ) from error
    say(f"{unit} is active")
    return True


async def _restart(unit: str) -> None:
    await systemctl("--no-block", "restart", unit)
    await await_active(unit, READY_TIMEOUT_S)


async def _version_of(program: Path) -> Version:
    try:
        done = await run_program([str(program), "version", "-o", "json"], timeout_s=VERSION_TIMEOUT_S)
        facts = orjson.loads(done.stdout)
        return Version(facts["version"], facts["kubernetes"])
    except (ProcessError, ValueError, KeyError, TypeError) as error:
        raise AgentError(f"{program} is no minikube-py program: {error}") from error
