"""When a pod spec, of a pod or of a template, is right.

Upstream: pkg/apis/core/validation ValidatePodSpec, ValidatePodTemplateSpec.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.names import dns_label_faults, dns_subdomain_faults, ip_faults, qualified_name_faults
from minikube_py.api.rules.container_resources import validate_resources
from minikube_py.api.rules.containers import RESTART_POLICIES, validate_containers
from minikube_py.api.rules.faults import (
    INT32_MAX,
    Faults,
    all_invalid,
    check_choice,
    forbidden,
    indexed,
    invalid,
    items,
    part,
    required,
    unsupported,
)
from minikube_py.api.rules.metadata import validate_annotations, validate_labels
from minikube_py.api.rules.scheduling import validate_scheduling
from minikube_py.api.rules.security_contexts import validate_pod_security_context
from minikube_py.api.rules.volumes import validate_volumes

NAMESERVERS_MAX = 3
SEARCH_PATHS_MAX = 32
SEARCH_LENGTH_MAX = 2048
DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_PREEMPTION_POLICIES = ("Never", "PreemptLowerPriority")
_OPERATING_SYSTEMS = ("linux", "windows")


def validate_pod_template(template: Mapping[str, Any], path: str) -> Faults:
    """Yield the faults of a pod template."""
    meta = part(template, "metadata")
    yield from validate_labels(part(meta, "labels"), f"{path}.labels")
    yield from validate_annotations(part(meta, "annotations"), f"{path}.annotations")
    spec = part(template, "spec")
    yield from validate_pod_spec(spec, f"{path}.spec")
    if items(spec, "ephemeralContainers"):
        yield forbidden(f"{path}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template")


def validate_pod_spec(spec: Mapping[str, Any], path: str) -> Faults:
    """Yield the faults of a pod spec at `path` (`spec`, `spec.template.spec`)."""
    yield from validate_volumes(spec, path)
    yield from validate_containers(spec, path)
    yield from check_choice(f"{path}.restartPolicy", spec.get("restartPolicy"), RESTART_POLICIES)
    yield from check_choice(f"{path}.dnsPolicy", spec.get("dnsPolicy"), DNS_POLICIES)
    yield from validate_labels(part(spec, "nodeSelector"), f"{path}.nodeSelector")
    yield from validate_pod_security_context(spec, path)
    yield from validate_scheduling(spec, path)
    yield from _validate_dns(spec, path)
    for here, gate in indexed(spec, "readinessGates", path):
        kind = gate.get("conditionType") or ""
        yield from all_invalid(f"{here}.conditionType", kind, qualified_name_faults(kind))
    yield from _validate_names(spec, path)
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= INT32_MAX:
        yield invalid(f"{path}.activeDeadlineSeconds", deadline, f"must be between 1 and {INT32_MAX}, inclusive")
    yield from _validate_host_aliases(spec, path)
    yield from validate_resources(part(spec, "resources"), f"{path}.resources")
    yield from _validate_choices(spec, path)


def _validate_names(spec: Mapping[str, Any], path: str) -> Faults:
    for field in ("serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"):
        if spec.get(field):
            yield from all_invalid(f"{path}.{field}", spec[field], dns_subdomain_faults(spec[field]))
    for field in ("hostname", "subdomain"):
        if spec.get(field):
            yield from all_invalid(f"{path}.{field}", spec[field], dns_label_faults(spec[field]))
    for here, secret in indexed(spec, "imagePullSecrets", path):
        if secret.get("name"):
            yield from all_invalid(f"{here}.name", secret["name"], dns_subdomain_faults(secret["name"]))


def _validate_dns(spec: Mapping[str, Any], path: str) -> Faults:
    config = spec.get("dnsConfig")
    if spec.get("dnsPolicy") == "None":
        if config is None:
            yield required(f"{path}.dnsConfig", "must provide `dnsConfig` when `dnsPolicy` is None")
            return
        if not items(config, "nameservers"):
            detail = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            yield required(f"{path}.dnsConfig.nameservers", detail)
    if config is not None:
        yield from _validate_dns_config(config, f"{path}.dnsConfig")


def _validate_dns_config(config: Mapping[str, Any], path: str) -> Faults:
    servers, searches = items(config, "nameservers"), items(config, "searches")
    if len(servers) > NAMESERVERS_MAX:
        yield invalid(f"{path}.nameservers", list(servers), f"must not have more than {NAMESERVERS_MAX} nameservers")
    for here, server in indexed(config, "nameservers", path):
        yield from all_invalid(here, server, ip_faults(server))
    if len(searches) > SEARCH_PATHS_MAX:
        yield invalid(f"{path}.searches", list(searches), f"must not have more than {SEARCH_PATHS_MAX} search paths")
    if len(" ".join(searches)) > SEARCH_LENGTH_MAX:
        detail = f"must not have more than {SEARCH_LENGTH_MAX} characters (including spaces) in the search list"
        yield invalid(f"{path}.searches", list(searches), detail)
    for here, search in indexed(config, "searches", path):
        if search != ".":  # underscores are fine since 1.34 (SRV-like search paths)
            yield from all_invalid(here, search, dns_subdomain_faults(search.removesuffix(".").replace("_", "a")))
    for here, option in indexed(config, "options", path):
        if not option.get("name"):
            yield required(here, "must not be empty")


def _validate_host_aliases(spec: Mapping[str, Any], path: str) -> Faults:
    for here, alias in indexed(spec, "hostAliases", path):
        yield from all_invalid(f"{here}.ip", alias.get("ip") or "", ip_faults(alias.get("ip") or ""))
        for name_path, name in indexed(alias, "hostnames", here):
            yield from all_invalid(name_path, name, dns_subdomain_faults(name))


def _validate_choices(spec: Mapping[str, Any], path: str) -> Faults:
    policy = spec.get("preemptionPolicy")
    if policy is not None and policy not in _PREEMPTION_POLICIES:
        yield unsupported(f"{path}.preemptionPolicy", policy, _PREEMPTION_POLICIES)
    system = spec.get("os")
    if system is not None:
        yield from check_choice(f"{path}.os.name", system.get("name"), _OPERATING_SYSTEMS)
