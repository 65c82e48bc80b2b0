"""Webhook configurations: whom to ask about which requests.

Upstream: pkg/apis/admissionregistration/v1 defaults.go, pkg/apis/admissionregistration/validation.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from minikube_py.api.meta import Obj
from minikube_py.api.names import dns_subdomain_faults, port_number_faults, qualified_name_faults
from minikube_py.api.rules.admission_expressions import CONDITION_VARIABLES, Names, check_conditions
from minikube_py.api.rules.faults import (
    Faults,
    all_invalid,
    duplicate,
    indexed,
    invalid,
    items,
    part,
    required,
    too_many,
    unsupported,
)
from minikube_py.api.rules.label_selectors import validate_label_selector
from minikube_py.api.rules.rule_sets import default, default_text, make_rules

FAILURE_POLICIES = ("Fail", "Ignore")
MATCH_POLICIES = ("Equivalent", "Exact")
OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
SCOPES = ("*", "Cluster", "Namespaced")
REVIEW_VERSIONS = ("v1", "v1beta1")
MATCH_CONDITIONS_MAX = 64
_SIDE_EFFECTS = ("None", "NoneOnDryRun")
_REINVOCATION = ("IfNeeded", "Never")
_SEGMENTS = "should be a domain with at least three segments separated by dots"


def set_validating_defaults(configuration: Obj) -> None:
    """Fill in a ValidatingWebhookConfiguration."""
    for webhook in configuration.get("webhooks") or ():
        default_text(webhook, "failurePolicy", "Fail")
        default_text(webhook, "matchPolicy", "Equivalent")
        default(webhook, "namespaceSelector", {})
        default(webhook, "objectSelector", {})
        default(webhook, "timeoutSeconds", 10)
        set_rule_defaults(webhook.get("rules"))
        service = part(webhook, "clientConfig").get("service")
        if service is not None:
            default(service, "port", 443)


def set_mutating_defaults(configuration: Obj) -> None:
    """Fill in a MutatingWebhookConfiguration."""
    set_validating_defaults(configuration)
    for webhook in configuration.get("webhooks") or ():
        default_text(webhook, "reinvocationPolicy", "Never")


def set_rule_defaults(rules: list[Obj] | None) -> None:
    """Fill in rules (of webhooks and of policies): they are about every scope."""
    for rule in rules or ():
        default_text(rule, "scope", "*")


def check_webhooks(configuration: Mapping[str, Any]) -> Faults:
    """Yield the faults of a configuration of either kind."""
    names: set[str] = set()
    for path, webhook in indexed(configuration, "webhooks", ""):
        yield from _check_webhook(webhook, path)
        name = webhook.get("name") or ""
        if name in names:
            yield duplicate(f"{path}.name", name)
        names.add(name)


def _check_webhook(webhook: Mapping[str, Any], path: str) -> Faults:
    name = webhook.get("name") or ""
    if not name:
        yield required(f"{path}.name")
    faults = dns_subdomain_faults(name)
    yield from all_invalid(f"{path}.name", name, faults)
    if not faults and name.count(".") < 2:
        yield invalid(f"{path}.name", name, _SEGMENTS)
    for here, rule in indexed(webhook, "rules", path):
        yield from validate_rule(rule, here)
    yield from _check_choices(webhook, path)
    seconds = webhook.get("timeoutSeconds")
    if seconds is not None and not 1 <= seconds <= 30:
        detail = (
            "the timeout value must be between 1 and 30 seconds"
            if seconds > 30
            else "the timeout value must be at least 1 second"
        )
        yield invalid(f"{path}.timeoutSeconds", seconds, detail)
    for field in ("namespaceSelector", "objectSelector"):
        if webhook.get(field) is not None:
            yield from validate_label_selector(webhook[field], f"{path}.{field}")
    yield from _check_client(part(webhook, "clientConfig"), f"{path}.clientConfig")
    yield from _check_review_versions(webhook, f"{path}.admissionReviewVersions")
    yield from validate_match_conditions(webhook, path)
    yield from check_conditions(webhook, path, Names(CONDITION_VARIABLES))


def _check_choices(webhook: Mapping[str, Any], path: str) -> Faults:
    for field, choices in (
        ("failurePolicy", FAILURE_POLICIES),
        ("matchPolicy", MATCH_POLICIES),
        ("reinvocationPolicy", _REINVOCATION),
    ):
        value = webhook.get(field)
        if value is not None and value not in choices:
            yield unsupported(f"{path}.{field}", value, choices)
    effects = webhook.get("sideEffects")
    if effects is None:
        yield required(f"{path}.sideEffects", "must specify one of None, NoneOnDryRun")
    elif effects not in _SIDE_EFFECTS:
        yield unsupported(f"{path}.sideEffects", effects, _SIDE_EFFECTS)


def validate_rule(rule: Mapping[str, Any], path: str) -> Faults:
    """Yield the faults of a rule: which operations on which resources."""
    if not items(rule, "operations"):
        yield required(f"{path}.operations")
    if len(items(rule, "operations")) > 1 and "*" in items(rule, "operations"):
        detail = "if '*' is present, must not specify other operations"
        yield invalid(f"{path}.operations", list(rule["operations"]), detail)
    for here, operation in indexed(rule, "operations", path):
        if operation not in OPERATIONS:
            yield unsupported(here, operation, OPERATIONS)
    for field, what in (("apiGroups", "API group"), ("apiVersions", "API version"), ("resources", "resource")):
        yield from _check_names(items(rule, field), f"{path}.{field}", what)
    for here, resource in indexed(rule, "resources", path):
        if not resource:
            yield required(here)
    if rule.get("scope") is not None and rule["scope"] not in SCOPES:
        yield unsupported(f"{path}.scope", rule["scope"], SCOPES)


def _check_names(values: Sequence[str], path: str, what: str) -> Faults:
    if not values:
        yield required(path)
    if len(values) > 1 and "*" in values:
        yield invalid(path, list(values), f"if '*' is present, must not specify other {what}s")


def _check_client(client: Mapping[str, Any], path: str) -> Faults:
    url, service = client.get("url"), client.get("service")
    if (url is None) == (service is None):
        yield required(path, "exactly one of url or service is required")
    elif url is not None:
        yield from _check_url(url, f"{path}.url")
    elif service is not None:
        yield from _check_service(service, f"{path}.service")


def _check_url(url: str, path: str) -> Faults:
    form = "desired format: https://host[/path]"
    split = urlsplit(url)
    if split.scheme != "https":
        yield invalid(path, url, f"'https' is the only allowed URL scheme; {form}")
    if not split.netloc:
        yield invalid(path, url, f"host must be specified; {form}")
    for what, given in (
        ("user information", "@" in split.netloc),
        ("query parameters", split.query),
        ("fragments", split.fragment),
    ):
        if given:
            yield invalid(path, url, f"{what} are not permitted in the URL")


def _check_service(service: Mapping[str, Any], path: str) -> Faults:
    for field in ("name", "namespace"):
        if not service.get(field):
            yield required(f"{path}.{field}", f"service {field} is required")
    if service.get("port") is not None:
        yield from all_invalid(f"{path}.port", service["port"], port_number_faults(service["port"]))
    if service.get("path") and not service["path"].startswith("/"):
        yield invalid(f"{path}.path", service["path"], "must start with a '/'")


def _check_review_versions(webhook: Mapping[str, Any], path: str) -> Faults:
    versions = items(webhook, "admissionReviewVersions")
    if not versions:
        yield required(path, f"must specify one of {', '.join(REVIEW_VERSIONS)}")
    elif not set(versions) & set(REVIEW_VERSIONS):
        detail = f"must include at least one of {', '.join(REVIEW_VERSIONS)}"
        yield invalid(path, list(versions), detail)


def validate_match_conditions(obj: Mapping[str, Any], path: str) -> Faults:
    """Yield the faults of matchConditions (of webhooks and of policies), but for their expressions' syntax."""
    names: set[str] = set()
    if len(items(obj, "matchConditions")) > MATCH_CONDITIONS_MAX:
        yield too_many(f"{path}.matchConditions", len(items(obj, "matchConditions")), MATCH_CONDITIONS_MAX)
    for here, condition in indexed(obj, "matchConditions", path):
        name = condition.get("name") or ""
        if not name:
            yield required(f"{here}.name")
        else:
            yield from all_invalid(f"{here}.name", name, qualified_name_faults(name))
        if name in names:
            yield duplicate(f"{here}.name", name)
        names.add(name)
        if not (condition.get("expression") or "").strip():
            yield required(f"{here}.expression")


VALIDATING_WEBHOOK_RULES = make_rules(check_webhooks, set_defaults=set_validating_defaults)
MUTATING_WEBHOOK_RULES = make_rules(check_webhooks, set_defaults=set_mutating_defaults)
