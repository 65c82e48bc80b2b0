"""`minikube-py install`: the program as a service of this host.

The decisions are `install/`'s; what they need of settings and of Docker comes from here.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minikube_py.agent.commands import with_engine
from minikube_py.agent.errors import AgentError
from minikube_py.agent.process import require_root
from minikube_py.config import AgentConfig
from minikube_py.install.inventory import Inventory
from minikube_py.install.io.files import HostFiles, render_settings
from minikube_py.install.io.host_inventory import take_inventory
from minikube_py.install.io.labels import has_labels, restore_labels
from minikube_py.install.io.systemd import await_active, systemctl, systemd_runs
from minikube_py.install.io.units import read_unit
from minikube_py.install.plan import (
    CONFIG_FILE,
    PROGRAM,
    RUNTIME_DIR,
    Effect,
    Program,
    Record,
    Role,
    made_by,
    merge_settings,
    plan_install,
    require_same_role,
    unit_name,
)
from minikube_py.kubelet.io.image_import import list_images
from minikube_py.kubelet.pause_image import PAUSE_TAG

Say = Callable[[str], None]
"""Tells the user what is done, a line each."""
Effects = Sequence[tuple[str, Effect]]
"""What was done to each path."""

ONE_FILE_VARIABLE = "MINIKUBE_PY_FILE"
"""Set by the one file to its own path, before it starts the Python that it carries."""
READY_TIMEOUT_S = 180.0
"""How long a unit has to become Ready."""


@dataclass(frozen=True, slots=True)
class InstallOrder:
    """What a user asked `install` for."""

    role: Role
    config: AgentConfig
    given: Mapping[str, Any]
    """The settings of flags and environment, by name: what goes into the config file."""
    completion: str
    start: bool
    dry_run: bool


def install(order: InstallOrder, say: Say) -> Effects:
    """Put program, unit, settings and completion in their places, start the unit, and return what was done to each.

    Raises:
        AgentError: not root, or no systemd.
        InstallError: another role is installed, a file cannot be written, or the unit fails.
    """
    require_root()
    return asyncio.run(_install(order, say))


def running_program() -> Program:
    """Return what this process was started from."""
    one_file = os.environ.get(ONE_FILE_VARIABLE)
    if one_file:
        return Program(one_file, one_file=True)
    return Program(str(Path(sys.executable).with_name("minikube-py")), one_file=False)


async def host_inventory(config: AgentConfig) -> Inventory:
    """Return what this host has now; an engine that does not answer has no images."""
    return await take_inventory(config.data_dir, config.pod_logs_dir, await pause_images(config))


async def pause_images(config: AgentConfig) -> tuple[str, ...]:
    """Return the names of the engine's images that the program itself made."""
    try:
        records = await with_engine(config, list_images)
    except AgentError:
        return ()
    ours = PAUSE_TAG.partition(":")[0]
    return tuple(tag for record in records for tag in record.repo_tags if tag.partition(":")[0] == ours)


async def _install(order: InstallOrder, say: Say) -> Effects:
    files, unit = HostFiles(), unit_name(order.role)
    if not (systemd_runs() or order.dry_run):
        raise AgentError(
            f"systemd does not run on this host: start `minikube-py {order.role}` with the supervisor that does"
        )
    record = files.read_record()
    require_same_role(order.role, record)
    before = record.before if record else await host_inventory(order.config)
    settings = merge_settings(files.read_settings(CONFIG_FILE), order.given)
    steps = plan_install(
        order.role, running_program(), read_unit(order.role), render_settings(settings), order.completion.encode()
    )
    effects: list[tuple[str, Effect]] = []
    for step in steps:
        effect = files.apply(step, dry_run=order.dry_run)
        effects.append((step.path, effect))
        say(f"{step.path} {'would be ' if order.dry_run and effect != 'unchanged' else ''}{effect}")
    if order.dry_run:
        say(f"{unit} would be enabled{' and started' if order.start else ''}")
        return effects
    files.write_record(Record(order.role, made_by(record, effects), before))
    if has_labels() and (fault := await restore_labels([PROGRAM, RUNTIME_DIR, *(path for path, _ in effects)])):
        say(f"SELinux: the labels are left as they are: {fault}")
    await systemctl("daemon-reload")
    await systemctl("enable", unit)
    say(f"{unit} enabled")
    if order.start:
        changed = any(effect != "unchanged" for _, effect in effects)
        await systemctl("--no-block", "restart" if changed else "start", unit)
        await await_active(unit, READY_TIMEOUT_S)
        say(f"{unit} is active: node {order.config.node_name} is Ready")
    return effects
