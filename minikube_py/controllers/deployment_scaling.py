"""How big each ReplicaSet of a Deployment should be now: pure numbers, upstream's rules.

Rolling update keeps two bounds in all states: at most replicas + maxSurge pods, at least replicas - maxUnavailable
available ones. Percentages round up for the surge and down for the unavailable; both zero would stand still, so then
one may be unavailable. Scaling while several ReplicaSets are active spreads the change in proportion to their sizes.

Upstream: pkg/controller/deployment/rolling.go, sync.go (scale) and util (ResolveFenceposts, GetReplicaSetProportion).
"""

from dataclasses import dataclass

from minikube_py.api.meta import Obj, annotations_of, name_of
from minikube_py.controllers.deployment_sets import (
    DESIRED_REPLICAS,
    MAX_REPLICAS,
    Sets,
    resized,
    size_of,
    sort_by_age,
    status_count,
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a Deployment's strategy allows."""

    replicas: int
    surge: int
    unavailable: int

    @property
    def pods_max(self) -> int:
        """Return the most pods at a time."""
        return self.replicas + self.surge

    @property
    def available_min(self) -> int:
        """Return the fewest available pods."""
        return self.replicas - self.unavailable


def is_recreate(deployment: Obj) -> bool:
    """Return whether old pods go before new ones come."""
    return bool((deployment["spec"].get("strategy") or {}).get("type") == "Recreate")


def bounds_of(deployment: Obj) -> Bounds:
    """Return the bounds; a Recreate Deployment has neither surge nor a number that may be missing."""
    replicas = int(deployment["spec"].get("replicas", 1))
    if is_recreate(deployment):
        return Bounds(replicas, 0, 0)
    rolling = (deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    surge = scaled_value(rolling.get("maxSurge", "25%"), replicas, round_up=True)
    unavailable = scaled_value(rolling.get("maxUnavailable", "25%"), replicas, round_up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return Bounds(replicas, surge, min(unavailable, replicas))


def scaled_value(value: int | str, total: int, *, round_up: bool) -> int:
    """Return an absolute number from a number or a percentage of `total` (upstream: intstr)."""
    if isinstance(value, int):
        return value
    digits = value.removesuffix("%")
    if not digits.isdigit():
        return 0
    product = int(digits) * total
    return -(-product // 100) if round_up else product // 100


def new_set_size(bounds: Bounds, deployment: Obj, sets: Sets) -> int:
    """Return how big the new ReplicaSet may be made at once (upstream: NewRSNewReplicas)."""
    if is_recreate(deployment):
        return bounds.replicas
    size = size_of(sets.new) if sets.new is not None else 0
    pods = sum(size_of(rs) for rs in sets.all)
    if pods >= bounds.pods_max:
        return size
    return size + min(bounds.pods_max - pods, bounds.replicas - size)


def grow_new(deployment: Obj, sets: Sets) -> Sets:
    """Return the sets with the new one as big as the bounds allow, or cut to spec.replicas."""
    if sets.new is None:
        return sets
    bounds = bounds_of(deployment)
    size = size_of(sets.new)
    wanted = bounds.replicas if size > bounds.replicas else new_set_size(bounds, deployment, sets)
    if size in (bounds.replicas, wanted):
        return sets
    return sets.put(resized(deployment, sets.new, wanted, bounds.pods_max))


def shrink_old(deployment: Obj, sets: Sets) -> Sets:
    """Return the sets with the old ones as small as availability allows: unhealthy pods first, they cost nothing."""
    bounds = bounds_of(deployment)
    if sum(size_of(rs) for rs in sets.old) == 0:
        return sets
    new_unavailable = 0
    if sets.new is not None:
        new_unavailable = size_of(sets.new) - _available(sets.new)
    removable = sum(size_of(rs) for rs in sets.all) - bounds.available_min - new_unavailable
    if removable <= 0:
        return sets
    cleaned = _drop_unhealthy(deployment, sets, bounds, removable)
    return _drop_available(deployment, cleaned, bounds)


def _available(rs: Obj) -> int:
    """Return how many available pods will stay: the status may still count some that the last round gave up."""
    return min(status_count(rs, "availableReplicas"), size_of(rs))


def _drop_unhealthy(deployment: Obj, sets: Sets, bounds: Bounds, removable: int) -> Sets:
    for rs in sort_by_age(sets.old):
        unhealthy = size_of(rs) - _available(rs)
        drop = min(removable, unhealthy)
        if drop > 0:
            removable -= drop
            sets = sets.put(resized(deployment, rs, size_of(rs) - drop, bounds.pods_max))
    return sets


def _drop_available(deployment: Obj, sets: Sets, bounds: Bounds) -> Sets:
    surplus = sum(_available(rs) for rs in sets.all) - bounds.available_min
    for rs in sort_by_age(sets.old):
        drop = min(size_of(rs), surplus)
        if drop > 0:
            surplus -= drop
            sets = sets.put(resized(deployment, rs, size_of(rs) - drop, bounds.pods_max))
    return sets


def empty_old(deployment: Obj, sets: Sets) -> Sets:
    """Return the sets with all old ones at zero."""
    pods_max = bounds_of(deployment).pods_max
    for rs in sets.old:
        if size_of(rs) > 0:
            sets = sets.put(resized(deployment, rs, 0, pods_max))
    return sets


def is_scaling_event(deployment: Obj, sets: Sets) -> bool:
    """Return whether spec.replicas changed since the active ReplicaSets were last sized."""
    wanted = str(deployment["spec"].get("replicas", 1))
    return any(annotations_of(rs).get(DESIRED_REPLICAS, wanted) != wanted for rs in sets.active)


def scale(deployment: Obj, sets: Sets) -> Sets:
    """Return the sets for another spec.replicas, without moving a rollout on (it may be paused)."""
    bounds = bounds_of(deployment)
    only = _active_or_latest(sets)
    if only is not None:
        return sets.put(resized(deployment, only, bounds.replicas, bounds.pods_max))
    if sets.new is not None and _is_saturated(bounds, sets.new):
        return empty_old(deployment, sets)
    if is_recreate(deployment):
        return sets
    return _scale_in_proportion(deployment, sets, bounds)


def _active_or_latest(sets: Sets) -> Obj | None:
    if len(sets.active) > 1:
        return None
    if sets.active:
        return sets.active[0]
    if sets.new is not None:
        return sets.new
    return sort_by_age(sets.old)[-1] if sets.old else None


def _is_saturated(bounds: Bounds, new: Obj) -> bool:
    return (
        annotations_of(new).get(DESIRED_REPLICAS) == str(bounds.replicas)
        and size_of(new) == bounds.replicas
        and status_count(new, "availableReplicas") == bounds.replicas
    )


def _scale_in_proportion(deployment: Obj, sets: Sets, bounds: Bounds) -> Sets:
    allowed = bounds.pods_max if bounds.replicas > 0 else 0
    to_add = allowed - sum(size_of(rs) for rs in sets.active)
    # The biggest first, it also gets what rounding leaves over; between equals the newer grows, the older shrinks.
    by_age = sort_by_age(sets.active)
    ordered = sorted(by_age[::-1] if to_add > 0 else by_age, key=size_of, reverse=True)
    added = 0
    sizes: dict[str, int] = {}
    for rs in ordered:
        share = _share(deployment, rs, bounds, to_add, added)
        sizes[name_of(rs)] = size_of(rs) + share
        added += share
    for rank, rs in enumerate(ordered):
        size = sizes[name_of(rs)] + (to_add - added if rank == 0 else 0)
        sets = sets.put(resized(deployment, rs, max(size, 0), bounds.pods_max))
    return sets


def _share(deployment: Obj, rs: Obj, bounds: Bounds, to_add: int, added: int) -> int:
    if size_of(rs) == 0 or to_add in (0, added):
        return 0
    if bounds.replicas == 0:
        fraction = -size_of(rs)
    else:
        before = _number(annotations_of(rs).get(MAX_REPLICAS)) or status_count(deployment, "replicas")
        if not before:
            return 0
        fraction = _round_half_away(size_of(rs) * bounds.pods_max, before) - size_of(rs)
    return min(fraction, to_add - added) if to_add > 0 else max(fraction, to_add - added)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0


def _round_half_away(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
