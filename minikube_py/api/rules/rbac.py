"""Roles and bindings: who may do what. That nobody grants more than he holds is checked where the user is known.

Upstream: pkg/apis/rbac/v1 defaults.go, pkg/apis/rbac/validation.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj
from minikube_py.api.names import dns_subdomain_faults, path_segment_faults
from minikube_py.api.rules.faults import (
    Faults,
    all_invalid,
    indexed,
    invalid,
    items,
    part,
    required,
    unsupported,
)
from minikube_py.api.rules.label_selectors import validate_label_selector
from minikube_py.api.rules.rule_sets import Check, make_rules

GROUP = "rbac.authorization.k8s.io"
_SUBJECT_KINDS = ("ServiceAccount", "User", "Group")


def check_role(role: Mapping[str, Any]) -> Faults:
    """Yield the faults of a Role."""
    for path, rule in indexed(role, "rules", ""):
        yield from _check_rule(rule, path, namespaced=True)


def check_cluster_role(role: Mapping[str, Any]) -> Faults:
    """Yield the faults of a ClusterRole."""
    for path, rule in indexed(role, "rules", ""):
        yield from _check_rule(rule, path, namespaced=False)
    aggregation = role.get("aggregationRule")
    if aggregation is not None:
        path = "aggregationRule"
        if not items(aggregation, "clusterRoleSelectors"):
            detail = "at least one clusterRoleSelector required if aggregationRule is non-nil"
            yield required(f"{path}.clusterRoleSelectors", detail)
        for here, selector in indexed(aggregation, "clusterRoleSelectors", path):
            yield from validate_label_selector(selector, here)


def _check_rule(rule: Mapping[str, Any], path: str, *, namespaced: bool) -> Faults:
    if not items(rule, "verbs"):
        yield required(f"{path}.verbs", "verbs must contain at least one value")
    urls = items(rule, "nonResourceURLs")
    if urls:
        here = f"{path}.nonResourceURLs"
        if namespaced:
            yield invalid(here, list(urls), "namespaced rules cannot apply to non-resource URLs")
        if any(items(rule, field) for field in ("apiGroups", "resources", "resourceNames")):
            yield invalid(here, list(urls), "rules cannot apply to both regular resources and non-resource URLs")
        return
    if not items(rule, "apiGroups"):
        yield required(f"{path}.apiGroups", "resource rules must supply at least one api group")
    if not items(rule, "resources"):
        yield required(f"{path}.resources", "resource rules must supply at least one resource")


def set_binding_defaults(binding: Obj) -> None:
    """Fill in the groups that names of roles and subjects belong to."""
    reference = binding.setdefault("roleRef", {})
    if not reference.get("apiGroup"):
        reference["apiGroup"] = GROUP
    for subject in binding.get("subjects") or ():
        if not subject.get("apiGroup") and subject.get("kind") in ("User", "Group"):
            subject["apiGroup"] = GROUP


def _binding_check(*role_kinds: str) -> Check:
    def check(binding: Mapping[str, Any]) -> Faults:
        reference = part(binding, "roleRef")
        if reference.get("apiGroup") != GROUP:
            yield unsupported("roleRef.apiGroup", reference.get("apiGroup") or "", (GROUP,))
        if reference.get("kind") not in role_kinds:
            yield unsupported("roleRef.kind", reference.get("kind") or "", role_kinds)
        name = reference.get("name") or ""
        if not name:
            yield required("roleRef.name")
        yield from all_invalid("roleRef.name", name, path_segment_faults(name))
        for path, subject in indexed(binding, "subjects", ""):
            yield from _check_subject(subject, path)

    return check


def _check_subject(subject: Mapping[str, Any], path: str) -> Faults:
    kind, group, name = subject.get("kind") or "", subject.get("apiGroup") or "", subject.get("name") or ""
    if not name:
        yield required(f"{path}.name")
    if kind == "ServiceAccount":
        if name:
            yield from all_invalid(f"{path}.name", name, dns_subdomain_faults(name))
        if group:
            yield unsupported(f"{path}.apiGroup", group, ("",))
        if not subject.get("namespace"):
            yield required(f"{path}.namespace")
    elif kind in _SUBJECT_KINDS:
        if group != GROUP:
            yield unsupported(f"{path}.apiGroup", group, (GROUP,))
    else:
        yield unsupported(f"{path}.kind", kind, _SUBJECT_KINDS)


def check_binding_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the fault of binding to another role."""
    if new.get("roleRef") != old.get("roleRef"):
        yield invalid("roleRef", dict(part(new, "roleRef")), "cannot change roleRef")


ROLE_RULES = make_rules(check_role, name_check=path_segment_faults)
CLUSTER_ROLE_RULES = make_rules(check_cluster_role, name_check=path_segment_faults)
ROLE_BINDING_RULES = make_rules(
    _binding_check("Role", "ClusterRole"),
    check_binding_update,
    set_defaults=set_binding_defaults,
    name_check=path_segment_faults,
)
CLUSTER_ROLE_BINDING_RULES = make_rules(
    _binding_check("ClusterRole"),
    check_binding_update,
    set_defaults=set_binding_defaults,
    name_check=path_segment_faults,
)
