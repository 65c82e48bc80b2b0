"""What the status of a ResourceClaim may say: which devices it got, who uses them, how the devices are.

Upstream: pkg/apis/resource/validation (ValidateResourceClaimStatusUpdate), registry/resource/resourceclaim
strategy.go (dropDeallocatedStatusDevices).
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj
from minikube_py.api.names import dns_label_faults, dns_subdomain_faults
from minikube_py.api.rules.conditions import check_conditions
from minikube_py.api.rules.faults import (
    Faults,
    all_invalid,
    check_immutable,
    duplicate,
    forbidden,
    indexed,
    invalid,
    items,
    part,
    required,
    too_long,
    too_many,
    unsupported,
)

RESERVED_FOR_MAX = 256
RESULTS_MAX = 32
CONFIGS_MAX = 64
"""As many as a class and a claim can have together."""
DRIVER_LENGTH_MAX = 63
POOL_LENGTH_MAX = 253
CONDITIONS_MAX = 8
ADDRESSES_MAX = 16
_NO_REQUEST = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
_SOURCES = ("FromClaim", "FromClass")

DeviceKey = tuple[str, str, str]
"""Driver, pool and device."""


def prepare_status(new: Obj, old: Mapping[str, Any], wall_s: float) -> None:
    """Drop what is said about devices that the claim does not have any more."""
    del wall_s
    gone = _allocated(part(old, "status")) - _allocated(part(new, "status"))
    status = part(new, "status")
    if gone and status.get("devices"):
        left = [device for device in status["devices"] if _key(device) not in gone]
        new["status"] = {**status, "devices": left} if left else {k: v for k, v in status.items() if k != "devices"}


def validate_status(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of a ResourceClaim's status."""
    status, before = part(new, "status"), part(old, "status")
    yield from _check_users(status)
    yield from _check_devices(status)
    allocation, had = status.get("allocation"), before.get("allocation")
    if items(status, "reservedFor"):
        going = bool(part(new, "metadata").get("deletionTimestamp"))
        added = [user for user in status["reservedFor"] if user not in items(before, "reservedFor")]
        if allocation is None:
            yield forbidden("status.reservedFor", "may not be specified when `allocated` is not set")
        elif going and added:
            detail = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set"
            yield forbidden("status.reservedFor", detail)
    if allocation is not None and had is not None:
        yield from check_immutable("status.allocation", allocation, had)
    elif allocation is not None:
        yield from _check_allocation(part(allocation, "devices"), _request_names(new))


def _key(device: Mapping[str, Any]) -> DeviceKey:
    return device.get("driver") or "", device.get("pool") or "", device.get("device") or ""


def _allocated(status: Mapping[str, Any]) -> set[DeviceKey]:
    return {_key(result) for result in items(part(part(status, "allocation"), "devices"), "results")}


def _request_names(claim: Mapping[str, Any]) -> set[str]:
    names: set[str] = set()
    for request in items(part(part(claim, "spec"), "devices"), "requests"):
        names.add(request["name"])
        names |= {f"{request['name']}/{choice['name']}" for choice in items(request, "firstAvailable")}
    return names


def _check_users(status: Mapping[str, Any]) -> Faults:
    count = len(items(status, "reservedFor"))
    if count > RESERVED_FOR_MAX:
        yield too_many("status.reservedFor", count, RESERVED_FOR_MAX)
        return
    seen: set[str] = set()
    for path, user in indexed(status, "reservedFor", "status"):
        for field in ("resource", "name", "uid"):
            if not user.get(field):
                yield required(f"{path}.{field}")
        if user.get("uid") in seen:
            yield duplicate(path, user["uid"])
        seen.add(user.get("uid") or "")


def _check_devices(status: Mapping[str, Any]) -> Faults:
    allocated, seen = _allocated(status), set[DeviceKey]()
    for path, device in indexed(status, "devices", "status"):
        yield from _check_key(device, path)
        key = _key(device)
        shown = "/".join(key)
        if key not in allocated:
            yield invalid(path, shown, "must be an allocated device in the claim")
        if key in seen:
            yield duplicate(path, shown)
        seen.add(key)
        if len(items(device, "conditions")) > CONDITIONS_MAX:
            yield too_many(f"{path}.conditions", len(device["conditions"]), CONDITIONS_MAX)
        yield from check_conditions(device, path)
        network = part(device, "networkData")
        if len(items(network, "ips")) > ADDRESSES_MAX:
            yield too_many(f"{path}.networkData.ips", len(network["ips"]), ADDRESSES_MAX)


def _check_key(device: Mapping[str, Any], path: str) -> Faults:
    driver, pool, name = _key(device)
    if not driver:
        yield required(f"{path}.driver")
    elif len(driver) > DRIVER_LENGTH_MAX:
        yield too_long(f"{path}.driver", DRIVER_LENGTH_MAX)
    yield from all_invalid(f"{path}.driver", driver, dns_subdomain_faults(driver) if driver else ())
    if not pool:
        yield required(f"{path}.pool")
    elif len(pool) > POOL_LENGTH_MAX:
        yield too_long(f"{path}.pool", POOL_LENGTH_MAX)
    for segment in pool.split("/") if pool else ():
        yield from all_invalid(f"{path}.pool", pool, dns_subdomain_faults(segment))
    if not name:
        yield required(f"{path}.device")
    else:
        yield from all_invalid(f"{path}.device", name, dns_label_faults(name))


def _check_allocation(devices: Mapping[str, Any], requests: set[str]) -> Faults:
    path = "status.allocation.devices"
    for field, limit in (("results", RESULTS_MAX), ("config", CONFIGS_MAX)):
        if len(items(devices, field)) > limit:
            yield too_many(f"{path}.{field}", len(devices[field]), limit)
            return
    for here, result in indexed(devices, "results", path):
        if result.get("request") not in requests:
            yield invalid(f"{here}.request", result.get("request") or "", _NO_REQUEST)
        yield from _check_key(result, here)
    for here, config in indexed(devices, "config", path):
        yield from _check_config(config, here, requests)


def _check_config(config: Mapping[str, Any], path: str, requests: set[str]) -> Faults:
    source = config.get("source")
    if not source:
        yield required(f"{path}.source")
    elif source not in _SOURCES:
        yield unsupported(f"{path}.source", source, _SOURCES)
    for here, name in indexed(config, "requests", path):
        if name not in requests:
            yield invalid(here, name, _NO_REQUEST)
    if config.get("opaque") is None:
        yield required(f"{path}.opaque")
