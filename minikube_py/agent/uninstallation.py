"""`minikube-py uninstall`: the unit, the pods, the data and the program go, and what is left is told."""

import asyncio
from collections.abc import Sequence
from pathlib import PurePosixPath

from minikube_py.agent.commands import stop_and_tear_down, with_engine
from minikube_py.agent.installation import Say, host_inventory, pause_images
from minikube_py.agent.process import require_root
from minikube_py.config import AgentConfig
from minikube_py.install.inventory import Difference, compare
from minikube_py.install.io.files import HostFiles
from minikube_py.install.io.host_inventory import mount_points
from minikube_py.install.io.systemd import systemctl, systemd_runs
from minikube_py.install.plan import UNIT_DIR, Record, unit_name
from minikube_py.install.removal import plan_removal, require_unmounted
from minikube_py.kubelet.io.docker_api import DockerApi


def uninstall(config: AgentConfig, say: Say) -> Difference:
    """Remove everything of this host's node; return what the host has more than before the installation.

    Raises:
        AgentError: not root, or pods could not be removed.
        InstallError: files could not be removed; it can be run again.
    """
    require_root()
    return asyncio.run(_uninstall(config, say))


async def _uninstall(config: AgentConfig, say: Say) -> Difference:
    files = HostFiles()
    record = files.read_record()
    if record is not None and systemd_runs():
        unit = unit_name(record.role)
        if files.at(f"{UNIT_DIR}/{unit}").exists():  # an earlier try may have failed after it was gone
            await systemctl("disable", "--now", unit, timeout_s=60)
            say(f"{unit} stopped and disabled")
    removed = await stop_and_tear_down(config)
    say(f"{', '.join(f'{count} {what}' for what, count in removed.items())} removed, with links, rules and mounts")
    await _remove_images(config, await pause_images(config), say)
    _remove_files(config, files, record, say)
    if record is not None and systemd_runs():
        await systemctl("daemon-reload")
    return compare(record.before if record else {}, await host_inventory(config), str(config.data_dir))


async def _remove_images(config: AgentConfig, names: Sequence[str], say: Say) -> None:
    async def remove(api: DockerApi) -> None:
        for name in names:
            await api.remove_image(name)
            say(f"image {name} removed")

    await with_engine(config, remove)


def _remove_files(config: AgentConfig, files: HostFiles, record: Record | None, say: Say) -> None:
    data_dir = PurePosixPath(config.data_dir)
    made = record.made if record else ()
    steps = plan_removal(made, data_dir, PurePosixPath(config.pod_logs_dir), str(config.kubeconfig_path))
    require_unmounted([tree for step in steps for tree in step.trees], mount_points())
    for step in steps:
        for path in files.remove(step.files, step.trees):
            say(f"{path} removed")
    if not files.remove_if_empty(data_dir):
        say(f"{data_dir} stays: there are files in it that are not ours")
