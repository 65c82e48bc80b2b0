"""The security context of a container, pod and container level merged.

Upstream: securitycontext.DetermineEffectiveSecurityContext, kuberuntime security_context.go.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.kubelet.container import Container
from minikube_py.kubelet.cri import ContainerSecurity
from minikube_py.kubelet.environment import ConfigError
from minikube_py.kubelet.pod import Pod

_SHARED = ("runAsUser", "runAsGroup", "runAsNonRoot", "seccompProfile", "appArmorProfile", "seLinuxOptions")


def effective_security(pod: Pod, container: Container) -> Mapping[str, Any]:
    """Return the container's security context with what it inherits from the pod's."""
    inherited = {key: pod.security[key] for key in _SHARED if pod.security.get(key) is not None}
    return {**inherited, **{k: v for k, v in container.security.items() if v is not None}}


def common_user(pod: Pod) -> int | None:
    """Return the user that all init and regular containers are told to run as; None when there is no such one."""
    users = {
        effective_security(pod, container).get("runAsUser") for container in pod.init_containers + pod.containers
    }
    user = users.pop() if len(users) == 1 else None
    return None if user is None else int(user)


def seccomp_profile_name(pod: Pod, container: Container) -> str:
    """Return the container's profile as a file below the node's seccomp folder; empty when it wants none."""
    profile = effective_security(pod, container).get("seccompProfile") or {}
    return str(profile.get("localhostProfile") or "") if profile.get("type") == "Localhost" else ""


def missing_seccomp_profile(container: str, path: str) -> str:
    """Return what is said of a profile whose file is not there."""
    return (
        f'failed to generate security options for container "{container}": failed to generate seccomp security '
        f'options for container: cannot load seccomp profile "{path}": open {path}: no such file or directory'
    )


def container_security(pod: Pod, container: Container, seccomp_profile: str = "") -> ContainerSecurity:
    """Return what the runtime needs; `seccomp_profile` is the text of a Localhost profile.

    Raises:
        ConfigError: a group without a user.
    """
    context = effective_security(pod, container)
    capabilities = context.get("capabilities") or {}
    apparmor = apparmor_profile(pod, container)
    privileged = bool(context.get("privileged"))
    return ContainerSecurity(
        user=_user(context),
        supplemental_groups=_groups(pod),
        privileged=privileged,
        read_only_root=bool(context.get("readOnlyRootFilesystem")),
        capabilities_add=tuple(capabilities.get("add") or ()),
        capabilities_drop=tuple(capabilities.get("drop") or ()),
        no_new_privileges=context.get("allowPrivilegeEscalation") is False and not privileged,
        seccomp=seccomp_profile or _seccomp(context),
        apparmor="" if apparmor == "runtime/default" else apparmor,
        unmasked_proc=context.get("procMount") == "Unmasked",
        selinux=_selinux(context),
    )


def _user(context: Mapping[str, Any]) -> str:
    user, group = context.get("runAsUser"), context.get("runAsGroup")
    if user is None and group is not None:
        raise ConfigError("runAsGroup is specified without a runAsUser")
    if user is None:
        return ""
    return f"{user}:{group}" if group is not None else str(user)


def _groups(pod: Pod) -> tuple[int, ...]:
    groups = [int(g) for g in pod.security.get("supplementalGroups") or ()]
    fs_group = pod.security.get("fsGroup")
    if fs_group is not None:
        groups.append(int(fs_group))
    return tuple(dict.fromkeys(groups))


def _seccomp(context: Mapping[str, Any]) -> str:
    profile = context.get("seccompProfile") or {}
    return "" if profile.get("type") == "RuntimeDefault" else "unconfined"


def _selinux(context: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    options = context.get("seLinuxOptions") or {}
    return tuple((part, str(options[part])) for part in ("user", "role", "type", "level") if options.get(part))


def apparmor_profile(pod: Pod, container: Container) -> str:
    """Return the AppArmor profile: empty for none, `runtime/default`, `unconfined`, or a loaded profile's name."""
    profile = effective_security(pod, container).get("appArmorProfile")
    if profile is None:
        # What asked for it before there was a field.
        asked = pod.annotations.get(f"container.apparmor.security.beta.kubernetes.io/{container.name}", "")
        return asked.removeprefix("localhost/")
    kinds = {"RuntimeDefault": "runtime/default", "Unconfined": "unconfined"}
    return kinds.get(profile.get("type", ""), str(profile.get("localhostProfile") or ""))


def wants_apparmor(pod: Pod) -> bool:
    """Return whether a pod must not run on a host without AppArmor."""
    return any(apparmor_profile(pod, c) not in ("", "unconfined") for c in pod.all_containers)


def check_non_root(pod: Pod, container: Container, image_user: str) -> None:
    """Check runAsNonRoot against the user that the container will run as.

    Raises:
        ConfigError: it would be root, or it cannot be known.
    """
    context = effective_security(pod, container)
    if not context.get("runAsNonRoot"):
        return
    where = f'(pod: "{pod.full_name}", container: {container.name})'
    user = context.get("runAsUser")
    if user is not None:
        if int(user) == 0:
            raise ConfigError(f"container's runAsUser breaks non-root policy {where}")
        return
    name = image_user.partition(":")[0]
    if name in ("", "0", "root"):
        raise ConfigError(f"container has runAsNonRoot and image will run as root {where}")
    if not name.isdigit():
        raise ConfigError(
            f"container has runAsNonRoot and image has non-numeric user ({name}), "
            f"cannot verify user is non-root {where}"
        )
