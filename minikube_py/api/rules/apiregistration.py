"""APIServices: which server answers for a group version.

Upstream: kube-aggregator pkg/apis/apiregistration/{v1/defaults.go,validation}.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj, name_of
from minikube_py.api.names import (
    Messages,
    dns_1035_label_faults,
    dns_subdomain_faults,
    path_segment_faults,
    port_number_faults,
)
from minikube_py.api.rules.conditions import STATUSES
from minikube_py.api.rules.faults import Faults, all_invalid, indexed, invalid, part, required, unsupported
from minikube_py.api.rules.rule_sets import default, make_rules, start_with

GROUP_PRIORITY_MAX = 20000
VERSION_PRIORITY_MAX = 1000


def set_defaults(service: Obj) -> None:
    """Fill in an APIService."""
    target = service.setdefault("spec", {}).get("service")
    if target is not None:
        default(target, "port", 443)


def name_faults(name: str) -> Messages:
    """Return what keeps a text from being an APIService's name, which may end in a dot (`v1.`, the core group)."""
    return path_segment_faults(name)


def check(service: Mapping[str, Any]) -> Faults:
    """Yield the faults of an APIService."""
    spec = part(service, "spec")
    group, version = spec.get("group") or "", spec.get("version") or ""
    wanted = f"{version}.{group}"
    if name_of(service) != wanted:
        yield invalid("metadata.name", name_of(service), f'must be `spec.version+"."+spec.group`: {_quoted(wanted)}')
    if not group and version != "v1":
        yield required("spec.group", "only v1 may have an empty group and it better be legacy kube")
    if group:
        yield from all_invalid("spec.group", group, dns_subdomain_faults(group))
    yield from all_invalid("spec.version", version, dns_1035_label_faults(version))
    for field, limit in (("groupPriorityMinimum", GROUP_PRIORITY_MAX), ("versionPriority", VERSION_PRIORITY_MAX)):
        value = spec.get(field) or 0
        if not 0 < value <= limit:
            yield invalid(f"spec.{field}", value, f"must be positive and less than {limit}")
    yield from _check_target(spec)


def validate_status(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of an APIService's status: its conditions are so, are not so, or it is not known."""
    for path, condition in indexed(part(new, "status"), "conditions", "status"):
        if condition.get("status") not in STATUSES:
            yield unsupported(f"{path}.status", condition.get("status") or "", STATUSES)


def _check_target(spec: Mapping[str, Any]) -> Faults:
    target = spec.get("service")
    if target is None:
        if spec.get("caBundle"):
            yield invalid("spec.caBundle", "(omitted)", "local APIServices may not have a caBundle")
        if spec.get("insecureSkipTLSVerify"):
            yield invalid("spec.insecureSkipTLSVerify", True, "local APIServices may not have insecureSkipTLSVerify")
        return
    for field in ("namespace", "name"):
        if not target.get(field):
            yield required(f"spec.service.{field}")
    yield from all_invalid("spec.service.port", target.get("port"), port_number_faults(target.get("port") or 0))
    if spec.get("insecureSkipTLSVerify") and spec.get("caBundle"):
        yield invalid("spec.insecureSkipTLSVerify", True, "may not be true if caBundle is present")


def _quoted(text: str) -> str:
    return f'"{text}"'


SERVICE_RULES = make_rules(check, set_defaults=set_defaults, prepare_create=start_with({}), name_check=name_faults)
