"""The security context of a container, pod and container level merged.

Upstream: securitycontext.DetermineEffectiveSecurityContext, kuberuntime security_context.go.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.kubelet.container import Container
from minikube_py.kubelet.cri import ContainerSecurity
from minikube_py.kubelet.environment import ConfigError
from minikube_py.kubelet.pod import Pod

_SHARED = ("runAsUser", "runAsGroup", "runAsNonRoot", "seccompProfile", "appArmorProfile")


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


def container_security(pod: Pod, container: Container) -> ContainerSecurity:
    """Return what the runtime needs.

    Raises:
        ConfigError: a group without a user, or a profile that this kubelet cannot load.
    """
    context = effective_security(pod, container)
    capabilities = context.get("capabilities") or {}
    privileged = bool(context.get("privileged"))
    return ContainerSecurity(
        user=_user(context),
        supplemental_groups=_groups(pod),
        privileged=privileged,
        read_only_root=bool(context.get("readOnlyRootFilesystem")),
        capabilities_add=tuple(capabilities.get("add") or ()),
        capabilities_drop=tuple(capabilities.get("drop") or ()),
        no_new_privileges=context.get("allowPrivilegeEscalation") is False and not privileged,
        seccomp=_seccomp(context, container.name),
        apparmor=_apparmor(context),
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


def _seccomp(context: Mapping[str, Any], container: str) -> str:
    profile = context.get("seccompProfile") or {}
    kind = profile.get("type", "Unconfined")
    if kind == "Unconfined":
        return "unconfined"
    if kind == "RuntimeDefault":
        return ""
    where = profile.get("localhostProfile", "")
    raise ConfigError(
        f'failed to generate security options for container "{container}": failed to generate seccomp security '
        f'options for container: cannot load seccomp profile "{where}"'
    )


def _apparmor(context: Mapping[str, Any]) -> str:
    profile = context.get("appArmorProfile") or {}
    if profile.get("type") == "Localhost":
        return str(profile.get("localhostProfile") or "")
    return "unconfined" if profile.get("type") == "Unconfined" else ""


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
