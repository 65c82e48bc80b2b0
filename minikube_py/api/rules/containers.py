"""Rules for containers: regular, init and ephemeral ones.

Upstream: pkg/apis/core/validation validateContainers, validateInitContainers, validateContainerCommon.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.names import dns_label_faults, port_name_faults, port_number_faults
from minikube_py.api.rules.container_resources import validate_resources
from minikube_py.api.rules.faults import (
    Faults,
    all_invalid,
    check_choice,
    duplicate,
    forbidden,
    indexed,
    invalid,
    items,
    not_found,
    part,
    required,
    unsupported,
)
from minikube_py.api.rules.probes import validate_lifecycle, validate_probes
from minikube_py.api.rules.security_contexts import validate_security_context
from minikube_py.api.rules.value_sources import validate_env
from minikube_py.api.rules.volumes import validate_relative_path

PULL_POLICIES = ("Always", "IfNotPresent", "Never")
PROTOCOLS = ("SCTP", "TCP", "UDP")
RESTART_POLICIES = ("Always", "OnFailure", "Never")
_PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_NOT_FOR_EPHEMERAL = ("ports", "lifecycle", *_PROBES)


def validate_containers(spec: Mapping[str, Any], path: str) -> Faults:
    """Yield the faults of all containers of a pod spec."""
    names: set[str] = set()
    if not items(spec, "containers"):
        yield required(f"{path}.containers")
    for here, container in indexed(spec, "containers", path):
        yield from _validate_common(container, spec, here, names)
        yield from validate_lifecycle(part(container, "lifecycle"), f"{here}.lifecycle")
        yield from validate_probes(container, here)
        yield from _check_restart_policy(container, here)
    yield from _check_host_ports(spec, "containers", path)
    for here, container in indexed(spec, "initContainers", path):
        yield from _validate_common(container, spec, here, names)
        yield from _validate_init(container, here)
    yield from _check_host_ports(spec, "initContainers", path)
    for here, container in indexed(spec, "ephemeralContainers", path):
        yield from _validate_common(container, spec, here, names)
        yield from _validate_ephemeral(container, spec, here)


def _validate_common(container: Mapping[str, Any], spec: Mapping[str, Any], path: str, names: set[str]) -> Faults:
    name, image = container.get("name") or "", container.get("image") or ""
    if not name:
        yield required(f"{path}.name")
    else:
        yield from all_invalid(f"{path}.name", name, dns_label_faults(name))
    if name and name in names:
        yield duplicate(f"{path}.name", name)
    names.add(name)
    if not image:
        yield required(f"{path}.image")
    elif image != image.strip():
        yield invalid(f"{path}.image", image, "must not have leading or trailing whitespace")
    policy = container.get("terminationMessagePolicy")
    yield from check_choice(f"{path}.terminationMessagePolicy", policy, ("FallbackToLogsOnError", "File"))
    yield from _validate_ports(container, path, host_network=bool(spec.get("hostNetwork")))
    yield from validate_env(container, path)
    yield from _validate_mounts(container, spec, f"{path}.volumeMounts")
    yield from check_choice(f"{path}.imagePullPolicy", container.get("imagePullPolicy"), PULL_POLICIES)
    yield from validate_resources(part(container, "resources"), f"{path}.resources")
    yield from validate_security_context(part(container, "securityContext"), f"{path}.securityContext")


def _check_restart_policy(container: Mapping[str, Any], path: str) -> Faults:
    policy = container.get("restartPolicy")
    if policy is not None and policy not in RESTART_POLICIES:
        yield unsupported(f"{path}.restartPolicy", policy, RESTART_POLICIES)


def _validate_init(container: Mapping[str, Any], path: str) -> Faults:
    yield from _check_restart_policy(container, path)
    if container.get("restartPolicy") == "Always":  # a sidecar lives as long as the pod
        yield from validate_lifecycle(part(container, "lifecycle"), f"{path}.lifecycle")
        yield from validate_probes(container, path)
        return
    for field in ("lifecycle", *_PROBES):
        if container.get(field) is not None:
            yield forbidden(f"{path}.{field}", "may not be set for init containers without restartPolicy=Always")


def _validate_ephemeral(container: Mapping[str, Any], spec: Mapping[str, Any], path: str) -> Faults:
    target = container.get("targetContainerName")
    known = {other.get("name") for field in ("containers", "initContainers") for other in items(spec, field)}
    if target and target not in known:
        yield not_found(f"{path}.targetContainerName", target)
    for field in _NOT_FOR_EPHEMERAL:
        if container.get(field):
            yield forbidden(f"{path}.{field}", "cannot be set for an Ephemeral Container")
    if any(part(container, "resources").get(field) for field in ("limits", "requests", "claims")):
        yield forbidden(f"{path}.resources", "cannot be set for an Ephemeral Container")


def _validate_ports(container: Mapping[str, Any], path: str, *, host_network: bool) -> Faults:
    names: set[str] = set()
    for here, port in indexed(container, "ports", path):
        name = port.get("name") or ""
        if name:
            messages = port_name_faults(name)
            yield from all_invalid(f"{here}.name", name, messages)
            if name in names and not messages:
                yield duplicate(f"{here}.name", name)
            names.add(name)
        number, host = port.get("containerPort") or 0, port.get("hostPort") or 0
        if not number:
            yield required(f"{here}.containerPort")
        else:
            yield from all_invalid(f"{here}.containerPort", number, port_number_faults(number))
        if host:
            yield from all_invalid(f"{here}.hostPort", host, port_number_faults(host))
        yield from check_choice(f"{here}.protocol", port.get("protocol"), PROTOCOLS)
        if host_network and host and host != number:
            yield invalid(f"{here}.containerPort", number, "must match `hostPort` when `hostNetwork` is true")


def _check_host_ports(spec: Mapping[str, Any], field: str, path: str) -> Faults:
    taken: set[str] = set()
    for here, container in indexed(spec, field, path):
        for port_path, port in indexed(container, "ports", here):
            if not port.get("hostPort"):
                continue
            key = f"{port.get('protocol')}/{port.get('hostIP') or ''}/{port['hostPort']}"
            if key in taken:
                yield duplicate(f"{port_path}.hostPort", key)
            taken.add(key)


def _validate_mounts(container: Mapping[str, Any], spec: Mapping[str, Any], path: str) -> Faults:
    volumes = {volume.get("name") for volume in items(spec, "volumes")}
    mount_paths: set[str] = set()
    privileged = bool(part(container, "securityContext").get("privileged"))
    for index, mount in enumerate(items(container, "volumeMounts")):
        here = f"{path}[{index}]"
        name, target = mount.get("name") or "", mount.get("mountPath") or ""
        if not name:
            yield required(f"{here}.name")
        elif name not in volumes:
            yield not_found(f"{here}.name", name)
        if not target:
            yield required(f"{here}.mountPath")
        elif target in mount_paths:
            yield invalid(f"{here}.mountPath", target, "must be unique")
        mount_paths.add(target)
        yield from _validate_mount(mount, path, privileged=privileged)


def _validate_mount(mount: Mapping[str, Any], path: str, *, privileged: bool) -> Faults:
    """Yield the faults of one mount; upstream leaves the index out of these paths."""
    for field in ("subPath", "subPathExpr"):
        yield from validate_relative_path(mount.get(field) or "", f"{path}.{field}")
    if mount.get("subPath") and mount.get("subPathExpr"):
        yield invalid(f"{path}.subPathExpr", mount["subPathExpr"], "subPathExpr and subPath are mutually exclusive")
    propagation = mount.get("mountPropagation")
    if propagation is not None and propagation not in _PROPAGATIONS:
        yield unsupported(f"{path}.mountPropagation", propagation, _PROPAGATIONS)
    if propagation == "Bidirectional" and not privileged:
        detail = "Bidirectional mount propagation is available only to privileged containers"
        yield forbidden(f"{path}.mountPropagation", detail)
    if mount.get("recursiveReadOnly") in ("Enabled", "IfPossible") and not mount.get("readOnly"):
        yield forbidden(f"{path}.recursiveReadOnly", "may only be specified when readOnly is true")
