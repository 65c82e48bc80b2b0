"""Admission policies in CEL, and what binds them: their form; `admission_expressions` checks what they say.

Upstream: pkg/apis/admissionregistration/v1 defaults.go, pkg/apis/admissionregistration/validation.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj
from minikube_py.api.names import c_identifier_faults, dns_subdomain_faults, qualified_name_faults
from minikube_py.api.rules.admission_expressions import check_policy_expressions
from minikube_py.api.rules.admission_webhooks import (
    FAILURE_POLICIES,
    MATCH_POLICIES,
    set_rule_defaults,
    validate_match_conditions,
    validate_rule,
)
from minikube_py.api.rules.faults import (
    Faults,
    all_invalid,
    duplicate,
    forbidden,
    indexed,
    invalid,
    items,
    part,
    required,
    unsupported,
)
from minikube_py.api.rules.label_selectors import validate_label_selector
from minikube_py.api.rules.rule_sets import default, default_text, make_rules, start_with

ACTIONS = ("Audit", "Deny", "Warn")
_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized")
_PATCH_TYPES = ("ApplyConfiguration", "JSONPatch")
_REINVOCATION = ("IfNeeded", "Never")


def _set_match_defaults(match: Obj) -> None:
    default_text(match, "matchPolicy", "Equivalent")
    default(match, "namespaceSelector", {})
    default(match, "objectSelector", {})
    set_rule_defaults(match.get("resourceRules"))
    set_rule_defaults(match.get("excludeResourceRules"))


def set_policy_defaults(policy: Obj) -> None:
    """Fill in a policy of either kind."""
    spec = policy.setdefault("spec", {})
    default_text(spec, "failurePolicy", "Fail")
    if spec.get("matchConstraints") is not None:
        _set_match_defaults(spec["matchConstraints"])


def set_binding_defaults(binding: Obj) -> None:
    """Fill in a binding of either kind."""
    spec = binding.setdefault("spec", {})
    if spec.get("matchResources") is not None:
        _set_match_defaults(spec["matchResources"])


def check_validating_policy(policy: Mapping[str, Any]) -> Faults:
    """Yield the faults of a ValidatingAdmissionPolicy."""
    spec = part(policy, "spec")
    yield from _check_policy(spec)
    if not items(spec, "validations") and not items(spec, "auditAnnotations"):
        yield required("spec.validations", "validations or auditAnnotations must contain at least one item")
    for path, validation in indexed(spec, "validations", "spec"):
        if not (validation.get("expression") or "").strip():
            yield required(f"{path}.expression", "expression is not specified")
        message = validation.get("message")
        if message is not None and not message.strip():
            yield invalid(f"{path}.message", message, "message must be non-empty if specified")
        reason = validation.get("reason")
        if reason is not None and reason not in _REASONS:
            yield unsupported(f"{path}.reason", reason, _REASONS)
    for path, annotation in indexed(spec, "auditAnnotations", "spec"):
        key = annotation.get("key") or ""
        if not key:
            yield required(f"{path}.key")
        else:
            yield from all_invalid(f"{path}.key", key, qualified_name_faults(key))
        if not (annotation.get("valueExpression") or "").strip():
            yield required(f"{path}.valueExpression", "valueExpression is not specified")


def check_mutating_policy(policy: Mapping[str, Any]) -> Faults:
    """Yield the faults of a MutatingAdmissionPolicy."""
    spec = part(policy, "spec")
    yield from _check_policy(spec)
    if not items(spec, "mutations"):
        yield required("spec.mutations", "mutations must contain at least one item")
    for path, mutation in indexed(spec, "mutations", "spec"):
        kind = mutation.get("patchType") or ""
        if not kind:
            yield required(f"{path}.patchType")
        elif kind not in _PATCH_TYPES:
            yield unsupported(f"{path}.patchType", kind, _PATCH_TYPES)
        else:
            field = "applyConfiguration" if kind == "ApplyConfiguration" else "jsonPatch"
            other = "jsonPatch" if field == "applyConfiguration" else "applyConfiguration"
            if not (part(mutation, field).get("expression") or "").strip():
                yield required(f"{path}.{field}.expression", "expression is not specified")
            if mutation.get(other) is not None:
                yield invalid(
                    f"{path}.{other}", dict(mutation[other]), f"must not be specified when patchType is {kind}"
                )
    policy_name = spec.get("reinvocationPolicy") or ""
    if not policy_name:
        yield required("spec.reinvocationPolicy")
    elif policy_name not in _REINVOCATION:
        yield unsupported("spec.reinvocationPolicy", policy_name, _REINVOCATION)


def _check_policy(spec: Mapping[str, Any]) -> Faults:
    policy = spec.get("failurePolicy")
    if policy not in FAILURE_POLICIES:
        yield unsupported("spec.failurePolicy", policy or "", FAILURE_POLICIES)
    kind = spec.get("paramKind")
    if kind is not None:
        for field in ("apiVersion", "kind"):
            if not kind.get(field):
                yield required(f"spec.paramKind.{field}")
    constraints = spec.get("matchConstraints")
    if constraints is None:
        yield required("spec.matchConstraints", "")
    else:
        yield from _check_match(constraints, "spec.matchConstraints")
        if not items(constraints, "resourceRules"):
            yield required("spec.matchConstraints.resourceRules", "")
    yield from validate_match_conditions(spec, "spec")
    yield from _check_variables(spec)
    yield from check_policy_expressions(spec)


def _check_variables(spec: Mapping[str, Any]) -> Faults:
    names: set[str] = set()
    for path, variable in indexed(spec, "variables", "spec"):
        name = variable.get("name") or ""
        if not name:
            yield required(f"{path}.name", "name is not specified")
        elif c_identifier_faults(name):
            yield invalid(f"{path}.name", name, "name is not a valid CEL identifier")
        if name in names:
            yield duplicate(f"{path}.name", name)
        names.add(name)
        if not (variable.get("expression") or "").strip():
            yield required(f"{path}.expression", "expression is not specified")


def _check_match(match: Mapping[str, Any], path: str) -> Faults:
    policy = match.get("matchPolicy")
    if policy is not None and policy not in MATCH_POLICIES:
        yield unsupported(f"{path}.matchPolicy", policy, MATCH_POLICIES)
    for field in ("namespaceSelector", "objectSelector"):
        if match.get(field) is not None:
            yield from validate_label_selector(match[field], f"{path}.{field}")
    for field in ("resourceRules", "excludeResourceRules"):
        for here, rule in indexed(match, field, path):
            yield from validate_rule(rule, here)


def check_mutating_binding(binding: Mapping[str, Any]) -> Faults:
    """Yield the faults of a MutatingAdmissionPolicyBinding."""
    spec = part(binding, "spec")
    name = spec.get("policyName") or ""
    if not name:
        yield required("spec.policyName")
    else:
        yield from all_invalid("spec.policyName", name, dns_subdomain_faults(name))
    reference = spec.get("paramRef")
    if reference is not None:
        yield from _check_reference(reference, "spec.paramRef")
    if spec.get("matchResources") is not None:
        yield from _check_match(spec["matchResources"], "spec.matchResources")


def _check_reference(reference: Mapping[str, Any], path: str) -> Faults:
    name, selector = reference.get("name") or "", reference.get("selector")
    if name and selector is not None:
        yield forbidden(f"{path}.name", "name and selector are mutually exclusive")
    elif not name and selector is None:
        yield required(path, "one of name or selector must be specified")
    if selector is not None:
        yield from validate_label_selector(selector, f"{path}.selector")
    action = reference.get("parameterNotFoundAction")
    if action is None:
        yield required(f"{path}.parameterNotFoundAction", "")
    elif action not in ("Allow", "Deny"):
        yield unsupported(f"{path}.parameterNotFoundAction", action, ("Deny", "Allow"))


def check_validating_binding(binding: Mapping[str, Any]) -> Faults:
    """Yield the faults of a ValidatingAdmissionPolicyBinding."""
    yield from check_mutating_binding(binding)
    actions = items(part(binding, "spec"), "validationActions")
    if not actions:
        yield required("spec.validationActions", "at least one validation action is required")
    seen: set[str] = set()
    for path, action in indexed(part(binding, "spec"), "validationActions", "spec"):
        if action not in ACTIONS:
            yield unsupported(path, action, ACTIONS)
        if action in seen:
            yield duplicate(path, action)
        seen.add(action)
    if {"Deny", "Warn"} <= seen:
        yield invalid(
            "spec.validationActions",
            list(actions),
            "must not contain both Deny and Warn (repeating the same validation failure information in the API "
            "response and headers serves no purpose)",
        )


VALIDATING_POLICY_RULES = make_rules(
    check_validating_policy, set_defaults=set_policy_defaults, prepare_create=start_with({})
)
MUTATING_POLICY_RULES = make_rules(check_mutating_policy, set_defaults=set_policy_defaults)
VALIDATING_BINDING_RULES = make_rules(check_validating_binding, set_defaults=set_binding_defaults)
MUTATING_BINDING_RULES = make_rules(check_mutating_binding, set_defaults=set_binding_defaults)
