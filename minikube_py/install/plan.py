"""What an installation puts where: decided as data, so that a dry run, the real run and the removal cannot differ.

Program, unit, settings and completion; folders that hold nothing yet are made by the agent itself at its start.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from minikube_py.kit.errors import UserError

Role = Literal["server", "agent"]
Effect = Literal["created", "changed", "unchanged"]

PROGRAM = "/usr/local/bin/minikube-py"
PREVIOUS = "/usr/local/bin/minikube-py.previous"
"""The one file that an upgrade replaced: what it goes back to when the new one does not get Ready."""
CONFIG_DIR = "/etc/minikube-py"
CONFIG_FILE = f"{CONFIG_DIR}/config.yaml"
RECORD_FILE = f"{CONFIG_DIR}/installation.json"
UNIT_DIR = "/etc/systemd/system"
COMPLETION_FILE = "/etc/bash_completion.d/minikube-py"
RUNTIME_DIR = "/var/lib/minikube-py/runtime"
"""Where the one file unpacks its Python."""


class InstallError(UserError):
    """It cannot be installed, upgraded or removed; the message says what stands in the way and what to do."""


@dataclass(frozen=True, slots=True)
class Program:
    """What runs now: the one file, or a Python environment's `minikube-py`."""

    path: str
    one_file: bool


@dataclass(frozen=True, slots=True)
class WriteFile:
    """A file with a content of ours."""

    path: str
    content: bytes
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class CopyProgram:
    """The one file, copied to where the unit starts it."""

    path: str
    source: str


@dataclass(frozen=True, slots=True)
class LinkProgram:
    """A symbolic link to the `minikube-py` of a Python environment, which stays where it is."""

    path: str
    target: str


Step = WriteFile | CopyProgram | LinkProgram


@dataclass(frozen=True, slots=True)
class Record:
    """What CONFIG_DIR remembers of an installation: whose it is, what it made, what was there before."""

    role: Role
    made: tuple[str, ...]
    before: Mapping[str, Sequence[str]]
    """The host's inventory before the first installation (install.inventory)."""


def unit_name(role: Role) -> str:
    """Return the name of the role's systemd unit."""
    return f"minikube-py-{role}.service"


def plan_install(role: Role, program: Program, unit: bytes, config: bytes, completion: bytes) -> tuple[Step, ...]:
    """Return the steps of an installation, in order; doing them again changes nothing.

    Args:
        role: server or agent.
        program: what runs now.
        unit: the unit's text.
        config: the settings as YAML; 0600 since a token may be among them.
        completion: the shell's completion of the command line.
    """
    if program.one_file:
        place: Step = CopyProgram(PROGRAM, program.path)
    else:
        place = LinkProgram(PROGRAM, program.path)
    steps: list[Step] = [] if program.path == PROGRAM else [place]
    steps += [
        WriteFile(CONFIG_FILE, config, 0o600),
        WriteFile(f"{UNIT_DIR}/{unit_name(role)}", unit),
        WriteFile(COMPLETION_FILE, completion),
    ]
    return tuple(steps)


def require_same_role(role: Role, record: Record | None) -> None:
    """Make sure that a host keeps its role: the state folders of the two differ.

    Raises:
        InstallError: it has the other one.
    """
    if record is not None and record.role != role:
        raise InstallError(
            f"{unit_name(record.role)} is installed on this host: run `minikube-py uninstall` before `install {role}`"
        )


def merge_settings(existing: Mapping[str, object], given: Mapping[str, object]) -> dict[str, object]:
    """Return the settings to write: what was given now replaces what stood there, the rest stays in its order."""
    return {**existing, **given}


def made_by(record: Record | None, effects: Sequence[tuple[str, Effect]]) -> tuple[str, ...]:
    """Return every path that is this program's to remove: of earlier installations and of this one."""
    earlier = record.made if record is not None else ()
    return tuple(dict.fromkeys((*earlier, *(path for path, _ in effects))))
