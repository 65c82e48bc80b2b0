"""What Docker is asked to create: sandbox and container configurations rendered as create bodies.

The shape of a pod on Docker: the pause container owns the network and IPC namespaces (`IpcMode` shareable: the
engine's default is private and refuses joiners), every app container joins both. Three things follow.

- Docker refuses host name, DNS and port settings on a container that joins another's network: the sandbox has them.
- The sandbox has no network of Docker's: the agent connects it itself, by the pid of the pause process. It is made
  with `none`, or in the host's network with a program that leaves it for a new one, which is quicker.
- Restarts are new containers with a new attempt; Docker restarts nothing (`RestartPolicy` no), runs no health
  checks of the image behind the agent's back (`Healthcheck` NONE), and rotates logs: with Docker no kubelet does.

Bind mounts are `Mounts`, not `Binds`: a missing source is an error then, not a new folder of root's.

Upstream: dockershim docker_sandbox.go, docker_container.go, security_context.go; cri-dockerd core.
"""

from typing import Any

from minikube_py.kubelet.cri import (
    ContainerConfig,
    ContainerResources,
    ContainerSecurity,
    Mount,
    SandboxConfig,
    SandboxId,
)
from minikube_py.kubelet.docker_names import (
    CONTAINER_LOG_PATH,
    CONTAINER_NAME,
    CONTAINER_TYPE,
    IMAGE,
    NETNS,
    NODE,
    OWN_NETNS,
    SANDBOX_CONTAINER_NAME,
    SANDBOX_ID,
    TYPE_CONTAINER,
    TYPE_SANDBOX,
    render_labels,
)
from minikube_py.kubelet.pause_image import OWN_NETWORK_PATH

SANDBOX_OOM_SCORE_ADJ = -998
"""The kernel takes the pause process last: with it the whole pod would lose its network."""
SANDBOX_CPU_SHARES = 2
"""The least there is; the process sleeps all its life."""
LOG_FILES_MAX = 20
"""The most files that a container's log may be kept in (`container_logs` looks for no more)."""


def log_config(max_bytes: int, files_max: int) -> dict[str, Any]:
    """Return how Docker keeps a log: in JSON lines, whatever the engine's own default is, and rotated."""
    return {"Type": "json-file", "Config": {"max-size": str(max_bytes), "max-file": str(files_max)}}


def can_own_network(config: SandboxConfig) -> bool:
    """Return whether a sandbox may be made in the host's network and leave it by itself.

    Not where the host's is wanted, where another runtime than Docker's own decides what a network is, and where
    Docker sets sysctls of the network (it refuses to in the host's).
    """
    return not (
        config.host_network or config.runtime_handler or any(name.startswith("net.") for name in config.sysctls)
    )


def render_sandbox(
    config: SandboxConfig,
    *,
    pause_image_id: str,
    node_name: str,
    oom_score_adj: int = SANDBOX_OOM_SCORE_ADJ,
    own_network: bool = False,
) -> dict[str, Any]:
    """Return the create body of a pause container.

    Args:
        config: what the pod needs.
        pause_image_id: the image.
        node_name: whose it is.
        oom_score_adj: 0 on hosts that refuse negative scores.
        own_network: it leaves the host's network by itself (needs `can_own_network`).
    """
    own = {CONTAINER_NAME: SANDBOX_CONTAINER_NAME, CONTAINER_TYPE: TYPE_SANDBOX, NODE: node_name}
    if own_network:
        own[NETNS] = OWN_NETNS
    host: dict[str, Any] = {
        "NetworkMode": "host" if config.host_network or own_network else "none",
        "IpcMode": "host" if config.host_ipc else "shareable",
        "RestartPolicy": {"Name": "no"},
        "LogConfig": log_config(10 << 20, 5),
        "CpuShares": SANDBOX_CPU_SHARES,
        "OomScoreAdj": oom_score_adj,
        "ReadonlyRootfs": True,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"] + (["label=disable"] if config.host_pid or config.host_ipc else []),
    }
    if not config.share_process_namespace:
        # Nobody can reach a process of some twenty instructions, and the engine's profile takes a fifth of its start.
        host["SecurityOpt"].append("seccomp=unconfined")
    if config.host_pid:
        host["PidMode"] = "host"
    if config.cgroup_parent:
        host["CgroupParent"] = config.cgroup_parent
    if config.runtime_handler:
        host["Runtime"] = config.runtime_handler
    if config.sysctls:
        host["Sysctls"] = dict(config.sysctls)
    body: dict[str, Any] = {
        "Image": pause_image_id,
        "Labels": render_labels(config.pod, own, config.labels, config.annotations),
        "HostConfig": host,
    }
    if config.hostname and not config.host_network:
        body["Hostname"] = config.hostname
    if own_network:
        # What `unshare` and giving up root need: root, and these three capabilities until then.
        host["CapAdd"] = ["SYS_ADMIN", "SETGID", "SETUID"]
        body["User"], body["Entrypoint"] = "0:0", [OWN_NETWORK_PATH]
    return body


def render_container(sandbox: SandboxId, config: ContainerConfig, *, node_name: str) -> dict[str, Any]:
    """Return the create body of an app container in `sandbox`."""
    own = {
        CONTAINER_NAME: config.name,
        CONTAINER_TYPE: TYPE_CONTAINER,
        CONTAINER_LOG_PATH: config.log_path,
        SANDBOX_ID: sandbox,
        NODE: node_name,
        IMAGE: config.image,
    }
    body: dict[str, Any] = {
        "Image": config.image_id or config.image,
        "Env": [f"{key}={value}" for key, value in config.env],
        "Labels": render_labels(config.pod, own, config.labels, config.annotations),
        "Healthcheck": {"Test": ["NONE"]},
        "Tty": config.tty,
        "OpenStdin": config.stdin,
        "StdinOnce": config.stdin_once,
        "HostConfig": _host_config(sandbox, config),
    }
    # A given Entrypoint makes Docker drop the image's Cmd too, which is what `command` without `args` means.
    if config.command:
        body["Entrypoint"] = list(config.command)
    if config.args:
        body["Cmd"] = list(config.args)
    if config.working_dir:
        body["WorkingDir"] = config.working_dir
    if config.security.user:
        body["User"] = config.security.user
    if config.stop_signal:
        body["StopSignal"] = config.stop_signal
    return body


def _host_config(sandbox: SandboxId, config: ContainerConfig) -> dict[str, Any]:
    host: dict[str, Any] = {
        "NetworkMode": f"container:{sandbox}",
        "IpcMode": f"container:{sandbox}",
        "RestartPolicy": {"Name": "no"},
        "LogConfig": log_config(config.log_max_bytes, config.log_files_max),
        "Mounts": [_mount(mount) for mount in config.mounts],
        **_resources(config.resources),
        **_security(config),
    }
    if config.devices:
        host["Devices"] = [
            {"PathOnHost": d.host_path, "PathInContainer": d.container_path, "CgroupPermissions": d.permissions}
            for d in config.devices
        ]
    if config.host_network:
        host["UTSMode"] = "host"
    if config.host_pid:
        host["PidMode"] = "host"
    elif config.target_container is not None:
        host["PidMode"] = f"container:{config.target_container}"
    elif config.share_process_namespace:
        host["PidMode"] = f"container:{sandbox}"
    if config.cgroup_parent:
        host["CgroupParent"] = config.cgroup_parent
    if config.runtime_handler:
        host["Runtime"] = config.runtime_handler
    return host


def _mount(mount: Mount) -> dict[str, Any]:
    options: dict[str, Any] = {}
    # rprivate is Docker's default, and only the default turns into rslave where the source holds Docker's own root.
    if mount.propagation != "rprivate":
        options["Propagation"] = mount.propagation
    if mount.recursive_read_only:
        options["ReadOnlyForceRecursive"] = True
    elif mount.read_only:
        # Engines from 25 on make read-only mounts recursive, which is more than `readOnly` promises.
        options["ReadOnlyNonRecursive"] = True
    body: dict[str, Any] = {
        "Type": "bind",
        "Source": mount.host_path,
        "Target": mount.container_path,
        "ReadOnly": mount.read_only,
    }
    if options:
        body["BindOptions"] = options
    return body


def render_update(resources: ContainerResources) -> dict[str, int]:
    """Return the body of a container update: what is set; a limit cannot be taken away, by the API's rules too."""
    body = _resources(resources)
    return {name: body[name] for name in body if name not in ("OomScoreAdj", "PidsLimit")}


def _resources(resources: ContainerResources) -> dict[str, int]:
    body = {"OomScoreAdj": resources.oom_score_adj}
    if resources.cpu_shares:
        body["CpuShares"] = resources.cpu_shares
    if resources.cpu_quota_us:
        body["CpuQuota"] = resources.cpu_quota_us
        body["CpuPeriod"] = resources.cpu_period_us
    if resources.memory_limit_bytes:
        body["Memory"] = body["MemorySwap"] = resources.memory_limit_bytes  # the same value: no swap on top
    if resources.pids_limit:
        body["PidsLimit"] = resources.pids_limit
    return body


def _security(config: ContainerConfig) -> dict[str, Any]:
    security = config.security
    body: dict[str, Any] = {
        "Privileged": security.privileged,
        "ReadonlyRootfs": security.read_only_root,
        "SecurityOpt": _security_options(security, unconfined_label=config.host_pid or security.privileged),
    }
    if security.capabilities_add:
        body["CapAdd"] = list(security.capabilities_add)
    if security.capabilities_drop:
        body["CapDrop"] = list(security.capabilities_drop)
    if security.supplemental_groups:
        body["GroupAdd"] = [str(gid) for gid in security.supplemental_groups]
    if security.unmasked_proc:
        body["MaskedPaths"], body["ReadonlyPaths"] = [], []
    return body


def _security_options(security: ContainerSecurity, *, unconfined_label: bool) -> list[str]:
    options = []
    if security.no_new_privileges:
        options.append("no-new-privileges")
    if security.seccomp:
        options.append(f"seccomp={security.seccomp}")
    if security.apparmor:
        options.append(f"apparmor={security.apparmor}")
    options += [f"label={part}:{value}" for part, value in security.selinux]
    if unconfined_label and not security.selinux:
        # SELinux: a process that sees the host's processes or devices cannot have a container's label.
        options.append("label=disable")
    return options
