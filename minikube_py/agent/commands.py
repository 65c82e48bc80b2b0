"""What the commands beside `server` do: ask the running agent, read what is on disk, use the engine, take down."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from minikube_py.agent.credentials import render_kubeconfig, server_pki, server_url
from minikube_py.agent.errors import AgentError
from minikube_py.agent.node import tear_down
from minikube_py.agent.process import control_path, require_root
from minikube_py.agent.registries import survey_registries
from minikube_py.agent.state import on_folder, restore_folder
from minikube_py.config import AgentConfig
from minikube_py.doctor.checks import Finding, examine
from minikube_py.doctor.facts import EngineFacts, HostFacts, StateFacts
from minikube_py.doctor.io.survey import survey_host, survey_tunnel
from minikube_py.kit.io.control_socket import AgentNotRunningError, ControlForbiddenError, ask_agent
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.kubelet.cri import ContainerRuntimeError, RuntimeVersionError
from minikube_py.kubelet.io import image_import
from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.store.io.recovery import Until

T = TypeVar("T")

ANSWER_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 40.0
"""An agent stops within 30 s; what takes longer is told to the user, not killed."""
STATE_TIMEOUT_S = 600.0
"""A snapshot or a check of the largest store on the slowest disk."""
POLL_S = 0.1


def agent_status(config: AgentConfig, wait_s: float | None) -> Mapping[str, Any]:
    """Return what the running agent says of itself; with `wait_s`, once its node is Ready.

    Raises:
        AgentError: no agent runs, or the node is not Ready in time.
    """
    return asyncio.run(_status(config, wait_s))


async def _status(config: AgentConfig, wait_s: float | None) -> Mapping[str, Any]:
    deadline = asyncio.get_running_loop().time() + (wait_s or 0)
    while True:
        facts: Mapping[str, Any] | None = None
        try:
            facts = await ask_agent(control_path(config), "status", ANSWER_TIMEOUT_S)
        except AgentNotRunningError:
            why = f"no agent runs on the data folder {config.data_dir}: start one with `minikube-py server`"
        except TimeoutError:
            why = f"the agent on {config.data_dir} does not answer within {ANSWER_TIMEOUT_S:g} s"
        else:
            if wait_s is None or facts["ready"]:
                return facts
            why = f"node {facts['node']} is not Ready: waiting for {facts['waiting_for'] or 'its first status'}"
        if asyncio.get_running_loop().time() >= deadline:
            raise AgentError(why)
        await asyncio.sleep(POLL_S)


def state_command(config: AgentConfig, word: str) -> Mapping[str, Any]:
    """Let the running agent do something with its store, or do it on the folder when none runs.

    Raises:
        AgentError: it could not be done.
    """
    try:
        answer = asyncio.run(ask_agent(control_path(config), word, STATE_TIMEOUT_S))
    except AgentNotRunningError:
        answer = on_folder(config, word)
    except TimeoutError:
        raise AgentError(f"the agent on {config.data_dir} does not answer within {STATE_TIMEOUT_S:g} s") from None
    if "error" in answer:
        raise AgentError(str(answer["error"]))
    return answer


def restore_state(config: AgentConfig, snapshot: str, until: Until) -> Mapping[str, Any]:
    """Make an earlier state the newest one (agent.state.restore_folder).

    Raises:
        AgentError: an agent runs, or there is no such state; nothing was changed.
    """
    try:
        answer = asyncio.run(ask_agent(control_path(config), "status", ANSWER_TIMEOUT_S))
    except (AgentNotRunningError, TimeoutError):
        return restore_folder(config, snapshot, until)
    raise AgentError(f"the agent (process {answer['pid']}) runs: stop it first; pods go on running meanwhile")


def admin_kubeconfig(config: AgentConfig, url: str | None) -> str:
    """Return an administrator's kubeconfig from the certificates on this host.

    Raises:
        AgentError: there are none.
    """
    folder = config.server_dir / "tls"
    try:
        present = (folder / "ca.key").exists()
    except PermissionError:
        raise AgentError(f"cannot read {folder}: run this as root") from None
    if not present:
        raise AgentError(f"no master was started on the data folder {config.data_dir} yet")
    pki = server_pki(config, SystemClock().wall_s())
    return render_kubeconfig(pki, url or server_url(config)).decode()


def take_down(config: AgentConfig) -> Mapping[str, int]:
    """Stop the agent if one runs, then every pod of this node; return how much of what was removed.

    Raises:
        AgentError: not root, Docker cannot be reached, or something could not be removed.
    """
    require_root()
    return asyncio.run(stop_and_tear_down(config))


async def stop_and_tear_down(config: AgentConfig) -> Mapping[str, int]:
    """Do what take_down does, in a running loop.

    Raises:
        AgentError: Docker cannot be reached, or something could not be removed.
    """
    try:
        answer = await ask_agent(control_path(config), "stop", ANSWER_TIMEOUT_S)
    except AgentNotRunningError:
        pass
    except TimeoutError:
        raise AgentError(
            f"the agent on {config.data_dir} does not answer: end its process, then run this again"
        ) from None
    else:
        await _wait_ended(int(answer["pid"]))
    return await tear_down(config)


async def _wait_ended(pid: int) -> None:
    deadline = asyncio.get_running_loop().time() + STOP_TIMEOUT_S
    while _runs(pid):
        if asyncio.get_running_loop().time() > deadline:
            raise AgentError(f"the agent (process {pid}) did not stop within {STOP_TIMEOUT_S:g} s")
        await asyncio.sleep(POLL_S)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def build_pause(config: AgentConfig) -> str:
    """Make and load the pause image; return what was done.

    Raises:
        AgentError: the engine cannot be reached or refused it.
    """
    record = asyncio.run(with_engine(config, image_import.build_pause))
    return f"{', '.join(record.repo_tags)} loaded ({record.id})"


def import_image(config: AgentConfig, archive: Path) -> tuple[str, ...]:
    """Load an archive and return the names of its images.

    Raises:
        AgentError: the file cannot be read, or the engine refused it.
    """
    try:
        return asyncio.run(with_engine(config, lambda api: image_import.import_archive(api, str(archive))))
    except OSError as error:
        raise AgentError(f"cannot read {archive}: {error.strerror or error}") from error
    except AgentError as error:
        raise AgentError(f"cannot load {archive}: {error}") from error


def list_images(config: AgentConfig) -> list[dict[str, Any]]:
    """Return the images of this host.

    Raises:
        AgentError: the engine cannot be reached.
    """
    records = asyncio.run(with_engine(config, image_import.list_images))
    return [{"tags": list(r.repo_tags), "id": r.id, "size": r.size_bytes} for r in records]


async def with_engine(config: AgentConfig, work: Callable[[DockerApi], Awaitable[T]]) -> T:
    """Do something with the engine and close it.

    Raises:
        AgentError: it cannot be reached or refused it.
    """
    api = DockerApi(config.docker_host)
    try:
        return await work(api)
    except RuntimeVersionError as error:
        raise AgentError(f"{error.message}; {error.remedy}") from error
    except ContainerRuntimeError as error:
        raise AgentError(error.message) from error
    finally:
        await api.close()


def examine_host(config: AgentConfig) -> tuple[Finding, ...]:
    """Return what doctor finds on this host."""
    host, engine = asyncio.run(_survey(config))
    if host.is_root and not host.data_dir_fault:
        host = replace(host, state=_state_facts(config))
    return examine(host, engine)


def _state_facts(config: AgentConfig) -> StateFacts:
    """Walk over the store, with the running agent's memory if one runs."""
    if config.datastore is None and not (config.server_dir / "store").exists():
        return StateFacts()
    try:
        report = state_command(config, "snapshot-verify")
    except AgentError as error:
        return StateFacts("", (str(error),))
    seen = f"revision {report['revision']}, {report['keys']} keys, {report['snapshots']} snapshots"
    return StateFacts(seen, tuple(report["faults"]))


async def _survey(config: AgentConfig) -> tuple[HostFacts, EngineFacts]:
    try:
        await ask_agent(control_path(config), "status", ANSWER_TIMEOUT_S)
    except (AgentNotRunningError, TimeoutError, ControlForbiddenError):
        agent_runs = False
    else:
        agent_runs = True
    ports = {config.https_port: "API server", config.kubelet_port: "kubelet"}
    host = await survey_host(config.data_dir, ports, agent_runs)
    host = replace(host, tunnel=survey_tunnel(config.pod_network, config.vxlan_port))
    host = await survey_registries(host, config)
    return host, await _engine_facts(config)


async def _engine_facts(config: AgentConfig) -> EngineFacts:
    api = DockerApi(config.docker_host)
    try:
        version, info = await api.version(), await api.info()
        api_version = api.api_version
    except RuntimeVersionError as error:
        return EngineFacts(config.docker_host, error=error.message, remedy=error.remedy)
    except ContainerRuntimeError as error:
        return EngineFacts(config.docker_host, error=error.message)
    finally:
        await api.close()
    return EngineFacts(
        address=config.docker_host,
        version=str(version["Version"]),
        api_version=api_version.removeprefix("v"),
        storage_driver=str(info.get("Driver", "")),
        cgroup_version=int(info.get("CgroupVersion") or 1),
        user_namespaces=any(
            str(option).startswith(("name=userns", "name=rootless")) for option in info.get("SecurityOptions") or ()
        ),
        can_lower_oom_scores=_may_use_sys_resource(),
    )


def _may_use_sys_resource() -> bool:
    """Return whether this host's processes may have CAP_SYS_RESOURCE: what dockerd is limited by too."""
    sys_resource = 24
    for line in Path("/proc/1/status").read_text().splitlines():
        if line.startswith("CapBnd:"):
            return bool(int(line.split()[1], 16) >> sys_resource & 1)
    return True
