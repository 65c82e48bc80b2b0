"""Rules for what a pod and its containers may ask of the kernel's access controls.

Upstream: pkg/apis/core/validation ValidateSecurityContext, ValidatePodSecurityContext.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.names import sysctl_name_is_valid
from minikube_py.api.rules.faults import (
    INT32_MAX,
    Faults,
    check_choice,
    duplicate,
    forbidden,
    indexed,
    invalid,
    items,
    part,
    required,
    unsupported,
)

_ID_RANGE = f"must be between 0 and {INT32_MAX}, inclusive"
_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
_SYSCTL_RULE = (
    "must have at most 253 characters and match regex "
    r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
)


def validate_security_context(context: Mapping[str, Any], path: str) -> Faults:
    """Yield the faults of one container's security context."""
    for field in ("runAsUser", "runAsGroup"):
        yield from _validate_id(context.get(field), f"{path}.{field}")
    if context.get("procMount") not in (None, "Default", "Unmasked"):
        yield unsupported(f"{path}.procMount", context["procMount"], ("Default", "Unmasked"))
    yield from _validate_profiles(context, path)
    if context.get("allowPrivilegeEscalation") is False:
        if context.get("privileged"):
            detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            yield invalid(path, dict(context), detail)
        if "CAP_SYS_ADMIN" in items(part(context, "capabilities"), "add"):
            detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
            yield invalid(path, dict(context), detail)


def validate_pod_security_context(spec: Mapping[str, Any], path: str) -> Faults:
    """Yield the faults of a pod's security context; `path` is that of the pod's spec."""
    context, here = part(spec, "securityContext"), f"{path}.securityContext"
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        detail = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield invalid(f"{here}.shareProcessNamespace", True, detail)
    for field in ("runAsUser", "runAsGroup", "fsGroup"):
        yield from _validate_id(context.get(field), f"{here}.{field}")
    for group_path, group in indexed(context, "supplementalGroups", here):
        yield from _validate_id(group, group_path)
    yield from _validate_sysctls(context, here)
    if context.get("fsGroupChangePolicy") is not None:
        yield from check_choice(
            f"{here}.fsGroupChangePolicy", context["fsGroupChangePolicy"], ("Always", "OnRootMismatch")
        )
    if context.get("supplementalGroupsPolicy") is not None:
        yield from check_choice(
            f"{here}.supplementalGroupsPolicy", context["supplementalGroupsPolicy"], ("Merge", "Strict")
        )
    yield from _validate_profiles(context, here)


def _validate_id(value: int | None, path: str) -> Faults:
    if value is not None and not 0 <= value <= INT32_MAX:
        yield invalid(path, value, _ID_RANGE)


def _validate_sysctls(context: Mapping[str, Any], path: str) -> Faults:
    seen: set[str] = set()
    for here, sysctl in indexed(context, "sysctls", path):
        name = sysctl.get("name") or ""
        if not name:
            yield required(f"{here}.name")
        elif not sysctl_name_is_valid(name):
            yield invalid(f"{here}.name", name, _SYSCTL_RULE)
        elif name in seen:
            yield duplicate(f"{here}.name", name)
        seen.add(name)


def _validate_profiles(context: Mapping[str, Any], path: str) -> Faults:
    for field in ("seccompProfile", "appArmorProfile"):
        profile = context.get(field)
        if profile is None:
            continue
        here = f"{path}.{field}"
        yield from check_choice(f"{here}.type", profile.get("type"), _PROFILES)
        local = profile.get("localhostProfile")
        if profile.get("type") == "Localhost" and not local:
            yield required(f"{here}.localhostProfile", "must be set when type is Localhost")
        elif profile.get("type") != "Localhost" and local is not None:
            yield invalid(f"{here}.localhostProfile", local, "can only be set when type is Localhost")
        if field == "seccompProfile" and local and (local.startswith("/") or ".." in local.split("/")):
            yield forbidden(f"{here}.localhostProfile", "must be a relative path without '..'")
