"""Rules for what containers ask for and may use.

CPU, memory and ephemeral storage may be promised twice (overcommitted), so a request may lie below its limit; of
everything else (huge pages, devices) requests and limits are the same whole number.

Upstream: pkg/apis/core/validation ValidateResourceRequirements, core/helper.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.names import qualified_name_faults
from minikube_py.api.quantity import Quantity, parse_quantity
from minikube_py.api.rules.faults import NOT_NEGATIVE, Faults, all_invalid, forbidden, invalid, part

_STANDARD = ("cpu", "memory", "ephemeral-storage")
_HUGE_PAGES = "hugepages-"


def validate_resources(resources: Mapping[str, Any], path: str) -> Faults:
    """Yield the faults of a container's (or pod's) limits and requests."""
    limits, requests = part(resources, "limits"), part(resources, "requests")
    for name, amount in sorted(limits.items()):
        yield from _validate_amount(name, parse_quantity(str(amount)), f"{path}.limits[{name}]")
    for name, amount in sorted(requests.items()):
        quantity = parse_quantity(str(amount))
        yield from _validate_amount(name, quantity, f"{path}.requests[{name}]")
        yield from _compare(name, quantity, limits, f"{path}.requests")
    has_huge_pages = any(name.startswith(_HUGE_PAGES) for name in (*limits, *requests))
    if has_huge_pages and not any(name in ("cpu", "memory") for name in (*limits, *requests)):
        yield forbidden(path, "HugePages require cpu or memory")


def _validate_amount(name: str, quantity: Quantity, path: str) -> Faults:
    yield from validate_resource_name(name, path)
    if quantity.nano < 0:
        yield invalid(path, str(quantity), NOT_NEGATIVE)
    if not overcommits(name) and quantity.nano % 10**9:
        yield invalid(path, str(quantity), "must be an integer")


def validate_resource_name(name: str, path: str) -> Faults:
    """Yield the faults of a resource's name: a standard one, or one with a domain."""
    yield from all_invalid(path, name, qualified_name_faults(name))
    if "/" in name or name in _STANDARD or name.startswith(_HUGE_PAGES):
        return
    yield invalid(path, name, "must be a standard resource type or fully qualified")
    yield invalid(path, name, "must be a standard resource for containers")


def overcommits(name: str) -> bool:
    """Return whether more of a resource may be promised than there is."""
    return ("/" not in name or "kubernetes.io/" in name) and not name.startswith(_HUGE_PAGES)


def _compare(name: str, request: Quantity, limits: Mapping[str, str], path: str) -> Faults:
    if name not in limits:
        if not overcommits(name):
            yield invalid(path, str(request), "limit must be set for non overcommitable resources")
        return
    limit = parse_quantity(str(limits[name]))
    if not overcommits(name):
        if request.nano != limit.nano:
            yield invalid(path, str(request), f"must be equal to {name} limit of {limit}")
    elif request.nano > limit.nano:
        yield invalid(path, str(request), f"must be less than or equal to {name} limit of {limit}")
