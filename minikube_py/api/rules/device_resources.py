"""The group resource.k8s.io: devices that nodes have, and claims that pods make on them (DRA).

Upstream: pkg/apis/resource/v1 defaults.go, pkg/apis/resource/validation.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj
from minikube_py.api.names import dns_label_faults, dns_subdomain_faults
from minikube_py.api.rules.device_expressions import check_device_expression
from minikube_py.api.rules.faults import (
    Faults,
    all_invalid,
    check_immutable,
    duplicate,
    indexed,
    invalid,
    items,
    part,
    required,
    too_many,
    unsupported,
)
from minikube_py.api.rules.rule_sets import default, default_text, make_rules, start_with

SELECTORS_MAX = 32
REQUESTS_MAX = 32
DEVICES_MAX = 128
POOL_NAME_LENGTH_MAX = 253
_MODES = ("All", "ExactCount")
_WHERE = ("nodeName", "nodeSelector", "allNodes", "perDeviceNodeSelection")


def _set_request_defaults(request: Obj) -> None:
    default_text(request, "allocationMode", "ExactCount")
    if request["allocationMode"] == "ExactCount" and not request.get("count"):
        request["count"] = 1
    for toleration in request.get("tolerations") or ():
        default_text(toleration, "operator", "Equal")


def _set_devices_defaults(devices: Mapping[str, Any]) -> None:
    for request in devices.get("requests") or ():
        if request.get("exactly") is not None:
            _set_request_defaults(request["exactly"])
        for alternative in request.get("firstAvailable") or ():
            _set_request_defaults(alternative)


def set_claim_defaults(claim: Obj) -> None:
    """Fill in a ResourceClaim: one device a request."""
    _set_devices_defaults(part(claim.setdefault("spec", {}), "devices"))


def set_template_defaults(template: Obj) -> None:
    """Fill in a ResourceClaimTemplate."""
    _set_devices_defaults(part(part(template.setdefault("spec", {}), "spec"), "devices"))


def check_claim(claim: Mapping[str, Any]) -> Faults:
    """Yield the faults of a ResourceClaim."""
    yield from _check_devices(part(part(claim, "spec"), "devices"), "spec.devices")


def check_template(template: Mapping[str, Any]) -> Faults:
    """Yield the faults of a ResourceClaimTemplate."""
    yield from _check_devices(part(part(part(template, "spec"), "spec"), "devices"), "spec.spec.devices")


def _check_devices(devices: Mapping[str, Any], path: str) -> Faults:
    count = len(items(devices, "requests"))
    if count > REQUESTS_MAX:
        yield too_many(f"{path}.requests", count, REQUESTS_MAX)
    names: set[str] = set()
    for here, request in indexed(devices, "requests", path):
        yield from _check_name(request, here, names)
        exactly, alternatives = request.get("exactly"), items(request, "firstAvailable")
        if exactly is not None and alternatives:
            detail = "exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set"
            yield invalid(here, "", detail)
        elif exactly is not None:
            yield from _check_request(exactly, f"{here}.exactly")
        elif alternatives:
            inner: set[str] = set()
            for there, alternative in indexed(request, "firstAvailable", here):
                yield from _check_name(alternative, there, inner)
                yield from _check_request(alternative, there)
        else:
            yield required(here, "exactly one of `exactly` or `firstAvailable` is required")


def _check_name(request: Mapping[str, Any], path: str, names: set[str]) -> Faults:
    name = request.get("name") or ""
    if not name:
        yield required(f"{path}.name")
    else:
        yield from all_invalid(f"{path}.name", name, dns_label_faults(name))
    if name in names:
        yield duplicate(f"{path}.name", name)
    names.add(name)


def _check_request(request: Mapping[str, Any], path: str) -> Faults:
    name = request.get("deviceClassName") or ""
    if not name:
        yield required(f"{path}.deviceClassName", "")
    else:
        yield from all_invalid(f"{path}.deviceClassName", name, dns_subdomain_faults(name))
    yield from _check_selectors(request, path)
    mode, count = request.get("allocationMode"), request.get("count") or 0
    if mode == "ExactCount":
        if count <= 0:
            yield invalid(f"{path}.count", count, "must be greater than zero")
    elif mode == "All":
        if count:
            yield invalid(f"{path}.count", count, "must not be specified when allocationMode is 'All'")
    else:
        yield unsupported(f"{path}.allocationMode", mode or "", _MODES)


def _check_selectors(obj: Mapping[str, Any], path: str) -> Faults:
    count = len(items(obj, "selectors"))
    if count > SELECTORS_MAX:
        yield too_many(f"{path}.selectors", count, SELECTORS_MAX)
    for here, selector in indexed(obj, "selectors", path):
        expression = part(selector, "cel").get("expression")
        if not expression:
            yield required(f"{here}.cel")
        else:
            yield from check_device_expression(expression, f"{here}.cel.expression")


def check_spec_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the fault of changing what has been claimed."""
    yield from check_immutable("spec", part(new, "spec"), part(old, "spec"))


def check_class(device_class: Mapping[str, Any]) -> Faults:
    """Yield the faults of a DeviceClass."""
    spec = part(device_class, "spec")
    yield from _check_selectors(spec, "spec")
    for path, configuration in indexed(spec, "config", "spec"):
        opaque = configuration.get("opaque")
        if opaque is None:
            yield required(f"{path}.opaque")
        elif not opaque.get("driver"):
            yield required(f"{path}.opaque.driver")


def check_slice(resource_slice: Mapping[str, Any]) -> Faults:
    """Yield the faults of a ResourceSlice."""
    spec = part(resource_slice, "spec")
    driver = spec.get("driver") or ""
    if not driver:
        yield required("spec.driver")
    else:
        yield from all_invalid("spec.driver", driver, dns_subdomain_faults(driver))
    yield from _check_pool(part(spec, "pool"))
    where = [field for field in _WHERE if spec.get(field)]
    if not where:
        yield required(
            "spec", "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"
        )
    elif len(where) > 1:
        yield invalid(
            "spec",
            "{" + ", ".join(where) + "}",
            "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required",
        )
    count = len(items(spec, "devices"))
    if count > DEVICES_MAX:
        yield too_many("spec.devices", count, DEVICES_MAX)
    names: set[str] = set()
    for path, device in indexed(spec, "devices", "spec"):
        yield from _check_name(device, path, names)


def _check_pool(pool: Mapping[str, Any]) -> Faults:
    name = pool.get("name") or ""
    if not name:
        yield required("spec.pool.name")
    elif len(name) > POOL_NAME_LENGTH_MAX:
        yield invalid("spec.pool.name", name, f"must be no more than {POOL_NAME_LENGTH_MAX} bytes")
    for segment in name.split("/") if name else ():
        yield from all_invalid("spec.pool.name", segment, dns_subdomain_faults(segment))
    if (pool.get("resourceSliceCount") or 0) <= 0:
        yield invalid(
            "spec.pool.resourceSliceCount", pool.get("resourceSliceCount") or 0, "must be greater than zero"
        )
    if (pool.get("generation") or 0) < 0:
        yield invalid("spec.pool.generation", pool["generation"], "must be greater than or equal to zero")


def set_slice_defaults(resource_slice: Obj) -> None:
    """Write out the pool's generation."""
    pool = resource_slice.setdefault("spec", {}).get("pool")
    if pool is not None:
        default(pool, "generation", 0)


def check_slice_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of changing whose slice it is."""
    spec, before = part(new, "spec"), part(old, "spec")
    yield from check_immutable("spec.driver", spec.get("driver"), before.get("driver"))
    yield from check_immutable("spec.pool.name", part(spec, "pool").get("name"), part(before, "pool").get("name"))
    yield from check_immutable("spec.nodeName", spec.get("nodeName"), before.get("nodeName"))


DEVICE_CLASS_RULES = make_rules(check_class)
CLAIM_RULES = make_rules(
    check_claim, check_spec_update, set_defaults=set_claim_defaults, prepare_create=start_with({})
)
CLAIM_TEMPLATE_RULES = make_rules(check_template, check_spec_update, set_defaults=set_template_defaults)
SLICE_RULES = make_rules(check_slice, check_slice_update, set_defaults=set_slice_defaults)
