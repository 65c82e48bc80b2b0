"""ConfigMaps, Secrets, ServiceAccounts, Events and Endpoints: the kinds of core/v1 that hold data and little else.

Upstream: pkg/apis/core/validation ValidateConfigMap, ValidateSecret, legacyValidateEvent, ValidateEndpoints;
pkg/apis/core/v1 conversion (stringData).
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from minikube_py.api.errors import FieldError
from minikube_py.api.meta import Obj, annotations_of, namespace_of
from minikube_py.api.names import config_key_faults, dns_label_faults, port_number_faults
from minikube_py.api.resource import Rules
from minikube_py.api.rules.discovery import special_ip_faults
from minikube_py.api.rules.faults import (
    Faults,
    all_invalid,
    check_choice,
    check_immutable,
    forbidden,
    indexed,
    invalid,
    items,
    part,
    required,
    too_long,
)
from minikube_py.api.rules.metadata import validate_metadata, validate_metadata_update

DATA_BYTES_MAX = 1024 * 1024
"""All values of one ConfigMap or Secret together."""

OPAQUE = "Opaque"
_SA_TOKEN = "kubernetes.io/service-account-token"  # noqa: S105  # a type's name
_SA_NAME = "kubernetes.io/service-account.name"
_REDACTED = "<secret contents redacted>"
_FROZEN = "field is immutable when `immutable` is set"
_PROTOCOLS = ("SCTP", "TCP", "UDP")


def _nothing(obj: Obj) -> None:
    """Start as it was given."""


def _keep(new: Obj, old: Mapping[str, Any]) -> None:
    """Change nothing."""


def validate_config_map(config_map: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of a ConfigMap."""
    return (*validate_metadata(config_map), *_validate_data(config_map))


def validate_config_map_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of a changed ConfigMap; an immutable one stays as it is."""
    return (
        *validate_metadata_update(new, old),
        *_validate_frozen(new, old, ("data", "binaryData")),
        *_validate_data(new),
    )


def _validate_data(config_map: Mapping[str, Any]) -> Faults:
    data, binary = part(config_map, "data"), part(config_map, "binaryData")
    size = 0
    for key, value in sorted(data.items()):
        yield from all_invalid(f"data[{key}]", key, config_key_faults(key))
        if key in binary:
            yield invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
        size += len(value.encode())
    for key, value in sorted(binary.items()):
        yield from all_invalid(f"binaryData[{key}]", key, config_key_faults(key))
        size += _decoded_length(value)
    if size > DATA_BYTES_MAX:
        yield too_long("[]", DATA_BYTES_MAX)  # upstream's name for the object itself


def _validate_frozen(new: Mapping[str, Any], old: Mapping[str, Any], fields: tuple[str, ...]) -> Faults:
    if not old.get("immutable"):
        return
    if not new.get("immutable"):
        yield forbidden("immutable", _FROZEN)
    for field in fields:
        if part(new, field) != part(old, field):
            yield forbidden(field, _FROZEN)


def _decoded_length(text: str) -> int:
    return len(text) * 3 // 4 - text[-2:].count("=")


def set_secret_defaults(secret: Obj) -> None:
    """Move what was written as plain text into data, and give the Secret a type."""
    plain = secret.pop("stringData", None)
    if plain:
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}
        secret["data"] = {**(secret.get("data") or {}), **encoded}
    if not secret.get("type"):
        secret["type"] = OPAQUE


def validate_secret(secret: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of a Secret."""
    return (*validate_metadata(secret), *_validate_secret_data(secret), *_validate_secret_type(secret))


def validate_secret_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of a changed Secret; its type stays, and all of an immutable one."""
    return (
        *validate_metadata_update(new, old),
        *check_immutable("type", new.get("type"), old.get("type")),
        *_validate_frozen(new, old, ("data",)),
        *_validate_secret_data(new),
        *_validate_secret_type(new),
    )


def _validate_secret_data(secret: Mapping[str, Any]) -> Faults:
    size = 0
    for key, value in sorted(part(secret, "data").items()):
        yield from all_invalid(f"data[{key}]", key, config_key_faults(key))
        size += _decoded_length(value)
    if size > DATA_BYTES_MAX:
        yield too_long("data", DATA_BYTES_MAX)


def _validate_secret_type(secret: Mapping[str, Any]) -> Faults:
    check = _SECRET_TYPES.get(secret.get("type", ""))
    if check is not None:
        yield from check(secret)


def _needs_account(secret: Mapping[str, Any]) -> Faults:
    if not annotations_of(secret).get(_SA_NAME):
        yield required(f"metadata.annotations[{_SA_NAME}]")


def _needs_json(key: str) -> Callable[[Mapping[str, Any]], Faults]:
    def check(secret: Mapping[str, Any]) -> Faults:
        text = part(secret, "data").get(key)
        if text is None:
            yield required(f"data[{key}]")
            return
        try:
            fine = isinstance(orjson.loads(base64.b64decode(text)), dict)
        except orjson.JSONDecodeError as error:
            yield invalid(f"data[{key}]", _REDACTED, str(error))
            return
        if not fine:
            yield invalid(f"data[{key}]", _REDACTED, "must be a JSON object")

    return check


def _needs_keys(*keys: str) -> Callable[[Mapping[str, Any]], Faults]:
    def check(secret: Mapping[str, Any]) -> Faults:
        for key in keys:
            if key not in part(secret, "data"):
                yield required(f"data[{key}]")

    return check


def _needs_login(secret: Mapping[str, Any]) -> Faults:
    keys = ("username", "password")
    if not any(key in part(secret, "data") for key in keys):
        for key in keys:
            yield required(f"data[{key}]")


_SECRET_TYPES: Mapping[str, Callable[[Mapping[str, Any]], Faults]] = {
    _SA_TOKEN: _needs_account,
    "kubernetes.io/dockercfg": _needs_json(".dockercfg"),
    "kubernetes.io/dockerconfigjson": _needs_json(".dockerconfigjson"),
    "kubernetes.io/basic-auth": _needs_login,
    "kubernetes.io/ssh-auth": _needs_keys("ssh-privatekey"),
    "kubernetes.io/tls": _needs_keys("tls.crt", "tls.key"),
}


def validate_service_account(account: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of a ServiceAccount."""
    return tuple(validate_metadata(account))


def validate_service_account_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of a changed ServiceAccount."""
    return tuple(validate_metadata_update(new, old))


def validate_event(event: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of an Event: it lives in the namespace of what it is about."""
    return (*validate_metadata(event), *_validate_event_namespace(event))


def validate_event_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of a changed Event."""
    return (*validate_metadata_update(new, old), *_validate_event_namespace(new))


def _validate_event_namespace(event: Mapping[str, Any]) -> Faults:
    about, namespace = part(event, "involvedObject").get("namespace") or "", namespace_of(event)
    if about != namespace and not (not about and namespace == "default"):
        yield invalid("involvedObject.namespace", about, "does not match event.namespace")


def set_endpoints_defaults(endpoints: Obj) -> None:
    """Fill in Endpoints."""
    for subset in endpoints.get("subsets") or ():
        for port in subset.get("ports") or ():
            if not port.get("protocol"):
                port["protocol"] = "TCP"


def validate_endpoints(endpoints: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of Endpoints."""
    return (*validate_metadata(endpoints), *_validate_subsets(endpoints))


def validate_endpoints_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return all faults of changed Endpoints."""
    return (*validate_metadata_update(new, old), *_validate_subsets(new))


def _validate_subsets(endpoints: Mapping[str, Any]) -> Faults:
    for path, subset in indexed(endpoints, "subsets", ""):
        if not items(subset, "addresses") and not items(subset, "notReadyAddresses"):
            yield required(path, "must specify `addresses` or `notReadyAddresses`")
        for field in ("addresses", "notReadyAddresses"):
            for here, address in indexed(subset, field, path):
                ip = address.get("ip") or ""
                yield from all_invalid(f"{here}.ip", ip, special_ip_faults(ip))
                if address.get("hostname"):
                    yield from all_invalid(
                        f"{here}.hostname", address["hostname"], dns_label_faults(address["hostname"])
                    )
        yield from _validate_subset_ports(subset, path)


def _validate_subset_ports(subset: Mapping[str, Any], path: str) -> Faults:
    several = len(items(subset, "ports")) > 1
    for here, port in indexed(subset, "ports", path):
        name = port.get("name") or ""
        if several and not name:
            yield required(f"{here}.name")
        elif name:
            yield from all_invalid(f"{here}.name", name, dns_label_faults(name))
        number = port.get("port") or 0
        yield from all_invalid(f"{here}.port", number, port_number_faults(number))
        yield from check_choice(f"{here}.protocol", port.get("protocol"), _PROTOCOLS)


CONFIG_MAP_RULES = Rules(_nothing, _nothing, _keep, validate_config_map, validate_config_map_update)
SECRET_RULES = Rules(set_secret_defaults, _nothing, _keep, validate_secret, validate_secret_update)
SERVICE_ACCOUNT_RULES = Rules(_nothing, _nothing, _keep, validate_service_account, validate_service_account_update)
EVENT_RULES = Rules(_nothing, _nothing, _keep, validate_event, validate_event_update)
ENDPOINTS_RULES = Rules(set_endpoints_defaults, _nothing, _keep, validate_endpoints, validate_endpoints_update)
