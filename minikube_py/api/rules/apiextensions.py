"""Rules of CustomResourceDefinitions.

Names and schemas are checked here; whether the names are free, and when the definition is established, is decided
where all definitions are known (`api.custom.naming`). Whether a default fits its schema is asked of a function that
the caller gives (`api.custom.rules` makes the row's rules), since validating values is the business of `api.custom`.

Upstream: apiextensions-apiserver apis/apiextensions/{v1/defaults.go,validation/validation.go} and
registry/customresourcedefinition/strategy.go.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from minikube_py.api.jsonpath import JsonPathError, parse_path, simple_path
from minikube_py.api.meta import Obj, annotations_of, name_of
from minikube_py.api.names import Messages, dns_1035_label_faults, dns_subdomain_faults
from minikube_py.api.rules.faults import (
    Faults,
    all_invalid,
    check_immutable,
    forbidden,
    indexed,
    invalid,
    items,
    part,
    required,
    unsupported,
)
from minikube_py.api.rules.structural_schema import CheckDefault, validate_schema

CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
APPROVAL_ANNOTATION = "api-approved.kubernetes.io"
_APPROVAL_HELP = "https://github.com/kubernetes/enhancements/pull/1111"
_COLUMN_TYPES = ("integer", "number", "string", "boolean", "date")
_COLUMN_FORMATS = ("int32", "int64", "float", "double", "byte", "date", "date-time", "password")
_SELECTABLE_FIELDS_MAX = 8
_REVIEW_VERSIONS = ("v1", "v1beta1")

CheckRules = Callable[[Mapping[str, Any], str], Faults]
"""(schema, path) -> the faults of its x-kubernetes-validations."""


def set_defaults(crd: Obj) -> None:
    """Fill in names and the conversion strategy (upstream: SetDefaults_CustomResourceDefinitionSpec)."""
    spec = crd.get("spec")
    if not isinstance(spec, dict):
        return
    names = spec.setdefault("names", {})
    if not names.get("singular") and names.get("kind"):
        names["singular"] = str(names["kind"]).lower()
    if not names.get("listKind") and names.get("kind"):
        names["listKind"] = f"{names['kind']}List"
    conversion = spec.setdefault("conversion", {})
    conversion.setdefault("strategy", "None")
    client = part(part(conversion, "webhook"), "clientConfig").get("service")
    if isinstance(client, dict):
        client.setdefault("port", 443)


def prepare_create(crd: Obj) -> None:
    """Begin with a status that names nothing but the storage version."""
    crd["status"] = {
        "storedVersions": [str(v.get("name") or "") for v in items(part(crd, "spec"), "versions") if v.get("storage")]
    }


def prepare_update(new: Obj, old: Mapping[str, Any]) -> None:
    """Note a new storage version among those in which objects may be stored."""
    status = dict(part(old, "status"))
    stored = list(status.get("storedVersions") or ())
    stored += [
        str(version.get("name") or "")
        for version in items(part(new, "spec"), "versions")
        if version.get("storage") and version.get("name") not in stored
    ]
    new["status"] = {**status, "storedVersions": stored}


def validate_definition(crd: Mapping[str, Any], check_default: CheckDefault, check_rules: CheckRules) -> Faults:
    """Yield the faults of a definition."""
    spec = part(crd, "spec")
    wanted = f"{part(spec, 'names').get('plural', '')}.{spec.get('group', '')}"
    if name_of(crd) != wanted:
        yield invalid("metadata.name", name_of(crd), 'must be spec.names.plural+"."+spec.group')
    yield from _validate_approval(crd)
    yield from _validate_group_and_scope(spec)
    yield from _validate_versions(spec, check_default, check_rules)
    yield from _validate_names(part(spec, "names"))
    yield from _validate_conversion(part(spec, "conversion"))
    if spec.get("preserveUnknownFields"):
        detail = "must be false in order to use defaults in the schema and is not supported in v1"
        yield invalid("spec.preserveUnknownFields", value=True, detail=detail)


def validate_definition_update(
    new: Mapping[str, Any], old: Mapping[str, Any], check_default: CheckDefault, check_rules: CheckRules
) -> Faults:
    """Yield the faults of a change of a definition."""
    yield from validate_definition(new, check_default, check_rules)
    spec, before = part(new, "spec"), part(old, "spec")
    if is_established(old):
        yield from check_immutable("spec.scope", spec.get("scope"), before.get("scope"))
        kind, old_kind = part(spec, "names").get("kind"), part(before, "names").get("kind")
        yield from check_immutable("spec.names.kind", kind, old_kind)
    yield from check_immutable("spec.group", spec.get("group"), before.get("group"))
    plural, old_plural = part(spec, "names").get("plural"), part(before, "names").get("plural")
    yield from check_immutable("spec.names.plural", plural, old_plural)
    yield from validate_stored_versions(new)


def validate_status(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of an update through /status: storedVersions may only shrink to what the spec has."""
    del old
    yield from validate_stored_versions(new)


def validate_stored_versions(crd: Mapping[str, Any]) -> Faults:
    """Yield a fault for each version in which objects may be stored and that the spec no longer has."""
    spec, stored = part(crd, "spec"), items(part(crd, "status"), "storedVersions")
    names = [version.get("name") for version in items(spec, "versions")]
    for index, version in enumerate(stored):
        if version not in names:
            yield invalid(f"status.storedVersions[{index}]", version, "must appear in spec.versions")
    if not stored:
        yield invalid("status.storedVersions", [], "must have at least one stored version")


def is_established(crd: Mapping[str, Any]) -> bool:
    """Return whether the definition's objects are served."""
    return condition_is(crd, "Established", "True")


def condition_is(crd: Mapping[str, Any], kind: str, status: str) -> bool:
    """Return whether a condition has this status."""
    return any(c.get("type") == kind and c.get("status") == status for c in items(part(crd, "status"), "conditions"))


def _is_protected(group: str) -> bool:
    return group.endswith((".k8s.io", ".kubernetes.io")) or group in ("k8s.io", "kubernetes.io")


def _validate_approval(crd: Mapping[str, Any]) -> Faults:
    if not _is_protected(str(part(crd, "spec").get("group") or "")):
        return
    path = f"metadata.annotations[{APPROVAL_ANNOTATION}]"
    approval = annotations_of(crd).get(APPROVAL_ANNOTATION)
    if not approval:
        yield required(
            path, f'protected groups must have approval annotation "{APPROVAL_ANNOTATION}", see {_APPROVAL_HELP}'
        )
    elif not approval.startswith(("unapproved", "https://")):
        detail = (
            f'protected groups must have approval annotation "{APPROVAL_ANNOTATION}" with either a URL or a reason '
            f'starting with "unapproved", see {_APPROVAL_HELP}'
        )
        yield invalid(path, approval, detail)


def _validate_group_and_scope(spec: Mapping[str, Any]) -> Faults:
    group, scope = str(spec.get("group") or ""), spec.get("scope")
    if not group:
        yield required("spec.group")
    elif faults := dns_subdomain_faults(group):
        yield invalid("spec.group", group, ",".join(faults))
    elif "." not in group:
        yield invalid("spec.group", group, "should be a domain with at least one dot")
    if not scope:
        yield required("spec.scope")
    elif scope not in ("Cluster", "Namespaced"):
        yield unsupported("spec.scope", scope, ("Cluster", "Namespaced"))


def _validate_versions(spec: Mapping[str, Any], check_default: CheckDefault, check_rules: CheckRules) -> Faults:
    versions = items(spec, "versions")
    names = [str(version.get("name") or "") for version in versions]
    if not versions:
        yield required("spec.versions")
    if len(set(names)) != len(names):
        yield invalid("spec.versions", list(versions), "must contain unique version names")
    if versions and sum(bool(version.get("storage")) for version in versions) != 1:
        yield invalid("spec.versions", list(versions), "must have exactly one version marked as storage version")
    for path, version in indexed(spec, "versions", "spec"):
        name = str(version.get("name") or "")
        if faults := dns_1035_label_faults(name):
            yield invalid(f"{path}.name", name, ",".join(faults))
        if version.get("deprecationWarning") is not None and not version.get("deprecated"):
            yield invalid(
                f"{path}.deprecationWarning", version["deprecationWarning"], "can only be set for deprecated versions"
            )
        yield from _validate_version_schema(version, path, check_default, check_rules)
        yield from _validate_columns(version, path)
        yield from _validate_subresources(version, path)
        yield from _validate_selectable(version, path)


def _validate_version_schema(
    version: Mapping[str, Any], path: str, check_default: CheckDefault, check_rules: CheckRules
) -> Faults:
    schema = part(version, "schema").get("openAPIV3Schema")
    where = f"{path}.schema.openAPIV3Schema"
    if schema is None:
        yield required(where, "schemas are required")
        return
    faults = sorted(validate_schema(schema, where, check_default), key=str)
    yield from faults
    if not faults:
        yield from check_rules(schema, where)


def _validate_columns(version: Mapping[str, Any], path: str) -> Faults:
    for where, column in indexed(version, "additionalPrinterColumns", path):
        if not column.get("name"):
            yield required(f"{where}.name")
        kind, form = column.get("type"), column.get("format")
        if not kind:
            yield required(f"{where}.type", f"must be one of {','.join(_COLUMN_TYPES)}")
        elif kind not in _COLUMN_TYPES:
            yield invalid(f"{where}.type", kind, f"must be one of {','.join(_COLUMN_TYPES)}")
        if form and form not in _COLUMN_FORMATS:
            yield invalid(f"{where}.format", form, f"must be one of {','.join(_COLUMN_FORMATS)}")
        json_path = column.get("jsonPath")
        if not json_path:
            yield required(f"{where}.jsonPath")
            continue
        try:
            parse_path(json_path)
        except JsonPathError as error:
            yield invalid(f"{where}.jsonPath", json_path, f"is an invalid JSON path: {error}")


def _validate_subresources(version: Mapping[str, Any], path: str) -> Faults:
    scale = part(version, "subresources").get("scale")
    if scale is None:
        return
    for field, root, needed in (
        ("specReplicasPath", ".spec", True),
        ("statusReplicasPath", ".status", True),
        ("labelSelectorPath", ".status", False),
    ):
        where, given = f"{path}.subresources.scale.{field}", scale.get(field)
        if not given:
            if needed:
                yield required(where)
            continue
        try:
            simple_path(given)
        except JsonPathError as error:
            yield invalid(where, given, str(error))
            continue
        allowed = (f"{root}.", ".spec.") if field == "labelSelectorPath" else (f"{root}.",)
        if not given.startswith(allowed):
            either = " or ".join(sorted(a.rstrip(".") for a in allowed))
            yield invalid(where, given, f"should be a json path under {either}")


def _validate_selectable(version: Mapping[str, Any], path: str) -> Faults:
    fields = items(version, "selectableFields")
    where = f"{path}.selectableFields"
    if len(fields) > _SELECTABLE_FIELDS_MAX:
        yield invalid(where, len(fields), f"must have at most {_SELECTABLE_FIELDS_MAX} items")
    seen: set[str] = set()
    for index, field in enumerate(fields):
        json_path = str(field.get("jsonPath") or "")
        here = f"{where}[{index}].jsonPath"
        if not json_path:
            yield required(here)
            continue
        yield from _validate_selectable_path(version, json_path, here)
        if json_path in seen:
            yield invalid(here, json_path, "must not be listed twice")
        seen.add(json_path)


def _validate_selectable_path(version: Mapping[str, Any], json_path: str, here: str) -> Faults:
    try:
        names = simple_path(json_path)
    except JsonPathError:
        yield invalid(here, json_path, "is an invalid path: must be a simple json path starting with .")
        return
    node: Mapping[str, Any] | None = part(version, "schema").get("openAPIV3Schema") or {}
    for name in names:
        node = (node or {}).get("properties", {}).get(name)
    if names[0] == "metadata":
        yield invalid(here, json_path, "must not point to fields in metadata")
    elif node is None:
        yield invalid(here, json_path, "is an invalid path: does not refer to a valid field")
    elif node.get("type") not in ("string", "integer", "boolean"):
        yield invalid(
            here,
            json_path,
            "must point to a field of type string, boolean or integer. "
            "Enum string fields and strings with formats are allowed.",
        )


def _mixed_case_faults(name: str) -> Messages:
    return dns_1035_label_faults(name.lower())


def _validate_names(names: Mapping[str, Any]) -> Faults:
    for field in ("plural", "singular", "kind", "listKind"):
        if not names.get(field):
            yield required(f"spec.names.{field}")
    for field in ("plural", "singular"):
        if names.get(field) and (faults := dns_1035_label_faults(str(names[field]))):
            yield invalid(f"spec.names.{field}", names[field], ",".join(faults))
    for field in ("kind", "listKind"):
        if names.get(field) and (faults := _mixed_case_faults(str(names[field]))):
            detail = "may have mixed case, but should otherwise match: " + ",".join(faults)
            yield invalid(f"spec.names.{field}", names[field], detail)
    for field in ("shortNames", "categories"):
        for path, name in indexed(names, field, "spec.names"):
            yield from all_invalid(path, name, dns_1035_label_faults(str(name)))
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        yield invalid("spec.names.listKind", names["listKind"], "kind and listKind may not be the same")


def _validate_conversion(conversion: Mapping[str, Any]) -> Faults:
    strategy, webhook = conversion.get("strategy"), conversion.get("webhook")
    if strategy not in ("None", "Webhook"):
        yield unsupported("spec.conversion.strategy", strategy, ("None", "Webhook"))
    if strategy != "Webhook":
        if webhook is not None:
            yield forbidden("spec.conversion.webhook", 'should not be set when strategy is not set to "Webhook"')
        return
    path = "spec.conversion.webhook"
    if webhook is None:
        yield required(path, 'required when strategy is set to "Webhook"')
        return
    versions: Sequence[str] = items(webhook, "conversionReviewVersions")
    if not versions:
        yield required(f"{path}.conversionReviewVersions")
    elif not any(version in _REVIEW_VERSIONS for version in versions):
        detail = f"must include at least one of {', '.join(_REVIEW_VERSIONS)}"
        yield invalid(f"{path}.conversionReviewVersions", list(versions), detail)
    client = webhook.get("clientConfig")
    if client is None:
        yield required(f"{path}.clientConfig", 'required when strategy is set to "Webhook"')
    else:
        yield from validate_client_config(client, f"{path}.clientConfig")


def validate_client_config(client: Mapping[str, Any], path: str) -> Faults:
    """Yield the faults of how a webhook is reached: a URL or a Service, and never both."""
    url, service = client.get("url"), client.get("service")
    if (url is None) == (service is None):
        yield required(path, "exactly one of url or service is required")
    if url is not None:
        yield from _validate_url(str(url), f"{path}.url")
    if service is not None:
        for field in ("name", "namespace"):
            if not service.get(field):
                yield required(f"{path}.service.{field}", f"service {field} is required")
        port = service.get("port", 443)
        if not 1 <= port <= 65535:
            yield invalid(f"{path}.service.port", port, "port is not valid: must be between 1 and 65535, inclusive")
        if service.get("path") and not str(service["path"]).startswith("/"):
            yield invalid(f"{path}.service.path", service["path"], 'must start with a "/"')


def _validate_url(url: str, path: str) -> Faults:
    scheme, _, rest = url.partition("://")
    form = "; desired format: https://host[/path]"
    if scheme != "https":
        yield invalid(path, url, f"'https' is the only allowed URL scheme{form}")
    if not rest.split("/", 1)[0]:
        yield invalid(path, url, f"host must be specified{form}")
    for mark, what in (
        ("@", "user information is not permitted in the URL"),
        ("#", "fragments are not permitted in the URL"),
        ("?", "query parameters are not permitted in the URL"),
    ):
        if mark in rest:
            yield invalid(path, url, what)
