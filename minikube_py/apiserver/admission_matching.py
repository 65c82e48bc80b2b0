"""Does a webhook or a policy care for a request? Rules, scope, selectors; conditions in CEL come after them.

Upstream: apiserver admission/plugin/webhook/{predicates,generic} and policy/matching.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from minikube_py.api.meta import labels_of
from minikube_py.api.object_selectors import compile_label_selector, selects
from minikube_py.api.resource import Resource
from minikube_py.apiserver.admission import Attributes

CONFIGURATION_GROUP = "admissionregistration.k8s.io"
Siblings = Callable[[Resource], Iterable[Resource]]
"""Other rows that serve the same objects: the versions of a custom resource, ..."""


def is_exempt(attributes: Attributes) -> bool:
    """Return whether nobody may stand in the way: who configures admission must always be able to repair it."""
    return attributes.resource.group == CONFIGURATION_GROUP


def matched_row(
    rules: Sequence[Mapping[str, Any]], match_policy: str, attributes: Attributes, siblings: Siblings
) -> Resource | None:
    """Return the row in which the rules match: the request's own, else (Equivalent) another of the same objects."""
    if any(_matches_rule(rule, attributes.resource, attributes) for rule in rules):
        return attributes.resource
    if match_policy == "Exact":
        return None
    for row in siblings(attributes.resource):
        if row is not attributes.resource and any(_matches_rule(rule, row, attributes) for rule in rules):
            return row
    return None


def _matches_rule(rule: Mapping[str, Any], row: Resource, attributes: Attributes) -> bool:
    return (
        _has(rule.get("operations"), attributes.operation)
        and _has(rule.get("apiGroups"), row.group)
        and _has(rule.get("apiVersions"), row.version)
        and _has_resource(rule.get("resources") or (), row.plural, attributes.subresource)
        and _has_scope(str(rule.get("scope") or "*"), attributes)
        and _has_name(rule.get("resourceNames") or (), attributes.name)
    )


def _has(allowed: Sequence[str] | None, value: str) -> bool:
    return "*" in (allowed or ()) or value in (allowed or ())


def _has_resource(allowed: Sequence[str], plural: str, subresource: str) -> bool:
    for pattern in allowed:
        name, _, sub = pattern.partition("/")
        if name in ("*", plural) and (sub in ("*", subresource) or (pattern == "*" and not subresource)):
            return True
    return False


def _has_scope(scope: str, attributes: Attributes) -> bool:
    is_namespaced = bool(attributes.namespace) and attributes.resource.namespaced
    return scope == "*" or (scope == "Namespaced") == is_namespaced


def _has_name(allowed: Sequence[str], name: str) -> bool:
    return not allowed or name in allowed


def matches_selectors(
    matcher: Mapping[str, Any],
    attributes: Attributes,
    namespace: Mapping[str, Any] | None,
    objects: Sequence[Mapping[str, Any] | None],
) -> bool:
    """Return whether namespaceSelector and objectSelector select the request.

    Args:
        matcher: what has the selectors; one that it does not have selects everything.
        attributes: the request.
        namespace: the Namespace of the request's object, None for cluster-scoped ones.
        objects: the new and the old object; one that is selected is enough.
    """
    by_object = matcher.get("objectSelector")
    if by_object and not any(_selects(by_object, obj) for obj in objects if obj is not None):
        return False
    by_namespace = matcher.get("namespaceSelector")
    if not by_namespace:
        return True
    if not attributes.resource.group and attributes.resource.plural == "namespaces":
        # A namespace is selected by what it will be; by what it was when it goes.
        own = next((obj for obj in objects if obj is not None), None)
        return own is not None and _selects(by_namespace, own)
    return namespace is None or _selects(by_namespace, namespace)


def _selects(selector: Mapping[str, Any], obj: Mapping[str, Any]) -> bool:
    return selects(compile_label_selector(selector), labels_of(obj))


def covered_row(
    match: Mapping[str, Any] | None,
    attributes: Attributes,
    namespace: Mapping[str, Any] | None,
    objects: Sequence[Mapping[str, Any] | None],
    siblings: Siblings,
) -> Resource | None:
    """Return the row in which a policy's matchConstraints, or a binding's matchResources, cover a request.

    None: they do not; without any they cover all.
    """
    if match is None:
        return attributes.resource
    if not matches_selectors(match, attributes, namespace, objects):
        return None
    policy = str(match.get("matchPolicy") or "Equivalent")
    excluded = match.get("excludeResourceRules") or ()
    if excluded and matched_row(excluded, policy, attributes, siblings) is not None:
        return None
    rules = match.get("resourceRules")
    return matched_row(rules, policy, attributes, siblings) if rules else attributes.resource
