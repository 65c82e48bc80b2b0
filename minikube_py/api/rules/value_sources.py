"""Rules for values that come from elsewhere: environment variables, downward API items, keys of ConfigMaps.

Upstream: pkg/apis/core/validation ValidateEnv, ValidateEnvFrom, validateObjectFieldSelector; core/pods conversion of
field labels.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

from minikube_py.api.names import config_key_faults, dns_subdomain_faults, env_name_faults, qualified_name_faults
from minikube_py.api.quantity import parse_quantity
from minikube_py.api.rules.faults import Faults, all_invalid, indexed, invalid, required, unsupported

ENV_FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
VOLUME_FIELDS = ("metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid")
_KNOWN_FIELDS = frozenset(
    {*ENV_FIELDS, *VOLUME_FIELDS, "spec.host", "spec.restartPolicy", "spec.schedulerName", "status.phase"}
)
_SUBSCRIPT = re.compile(r"(metadata\.(?:annotations|labels))\['(.*)'\]")
_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_RESOURCES = tuple(
    f"{side}.{name}" for side in ("limits", "requests") for name in ("cpu", "ephemeral-storage", "memory")
)
_CPU_DIVISORS = ("1m", "1")
_BYTE_DIVISORS = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")


def validate_env(container: Mapping[str, Any], path: str) -> Faults:
    """Yield the faults of a container's env and envFrom."""
    for here, variable in indexed(container, "env", path):
        if not variable.get("name"):
            yield required(f"{here}.name")
        else:
            yield from all_invalid(f"{here}.name", variable["name"], env_name_faults(variable["name"]))
        if variable.get("valueFrom") is not None:
            yield from _validate_source(variable, f"{here}.valueFrom")
    for here, source in indexed(container, "envFrom", path):
        yield from _validate_env_from(source, here)


def _validate_source(variable: Mapping[str, Any], path: str) -> Faults:
    source = variable["valueFrom"]
    given = [field for field in _SOURCES if source.get(field) is not None]
    if "fieldRef" in given:
        yield from validate_field_ref(source["fieldRef"], f"{path}.fieldRef", ENV_FIELDS)
    if "resourceFieldRef" in given:
        yield from validate_resource_ref(
            source["resourceFieldRef"], f"{path}.resourceFieldRef", needs_container=False
        )
    for field in ("configMapKeyRef", "secretKeyRef"):
        if field in given:
            yield from _validate_key(source[field], f"{path}.{field}")
    if not given:
        choices = "`configMapKeyRef`, `fieldRef`, `fileKeyRef`, `resourceFieldRef` or `secretKeyRef`"
        yield invalid(path, "", f"must specify one of: {choices}")
    elif variable.get("value"):
        yield invalid(path, "", "may not be specified when `value` is not empty")
    elif len(given) > 1:
        yield invalid(path, "", "may not have more than one field specified at a time")


def _validate_key(reference: Mapping[str, Any], path: str) -> Faults:
    if not reference.get("name"):
        yield required(f"{path}.name")
    key = reference.get("key") or ""
    if not key:
        yield required(f"{path}.key")
    else:
        yield from all_invalid(f"{path}.key", key, config_key_faults(key))


def _validate_env_from(source: Mapping[str, Any], path: str) -> Faults:
    if source.get("prefix"):
        yield from all_invalid(f"{path}.prefix", source["prefix"], env_name_faults(source["prefix"]))
    given = [field for field in ("configMapRef", "secretRef") if source.get(field) is not None]
    for field in given:
        name = source[field].get("name") or ""
        if not name:
            yield required(f"{path}.{field}.name")
        else:
            yield from all_invalid(f"{path}.{field}.name", name, dns_subdomain_faults(name))
    if not given:
        yield invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
    elif len(given) > 1:
        yield invalid(path, "", "may not have more than one field specified at a time")


def validate_field_ref(reference: Mapping[str, Any], path: str, supported: Collection[str]) -> Faults:
    """Yield the faults of a reference to a field of the pod itself."""
    if not reference.get("apiVersion"):
        yield required(f"{path}.apiVersion")
        return
    field = reference.get("fieldPath") or ""
    if not field:
        yield required(f"{path}.fieldPath")
        return
    subscript = _SUBSCRIPT.fullmatch(field)
    if subscript:
        if subscript[1] == "metadata.annotations":
            yield from all_invalid(f"{path}.fieldPath", field, qualified_name_faults(subscript[2].lower()))
        else:
            yield from all_invalid(f"{path}.fieldPath", field, qualified_name_faults(subscript[2]))
    elif field not in _KNOWN_FIELDS:
        detail = f"error converting fieldPath: field label not supported: {field}"
        yield invalid(f"{path}.fieldPath", field, detail)
    elif field not in supported and field != "spec.host":
        yield unsupported(f"{path}.fieldPath", field, supported)


def validate_resource_ref(reference: Mapping[str, Any], path: str, *, needs_container: bool) -> Faults:
    """Yield the faults of a reference to a container's requests or limits."""
    resource = reference.get("resource") or ""
    if needs_container and not reference.get("containerName"):
        yield required(f"{path}.containerName")
    elif not resource:
        yield required(f"{path}.resource")
    elif resource not in _RESOURCES and ".hugepages-" not in resource:
        yield unsupported(f"{path}.resource", resource, _RESOURCES)
    divisor = str(parse_quantity(str(reference.get("divisor") or "0")))
    name = resource.partition(".")[2]
    known = _CPU_DIVISORS if name == "cpu" else _BYTE_DIVISORS
    if divisor != "0" and divisor not in known:
        yield invalid(
            f"{path}.divisor", divisor, f"only divisor's values {', '.join(known)} are supported with {name}"
        )
