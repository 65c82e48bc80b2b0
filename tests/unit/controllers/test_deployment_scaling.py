"""The numbers of a rollout: rounding, bounds, proportions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minikube_py.controllers.deployment_scaling import (
    Bounds,
    bounds_of,
    empty_old,
    grow_new,
    is_scaling_event,
    scale,
    scaled_value,
    shrink_old,
)
from minikube_py.controllers.deployment_sets import DESIRED_REPLICAS, MAX_REPLICAS, Sets, size_of
from minikube_py.testing.workload_cluster import a_deployment
from minikube_py.testing.workload_objects import a_replica_set


def deployment(replicas: int, surge="25%", unavailable="25%"):
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    return a_deployment(replicas=replicas, strategy={"type": "RollingUpdate", "rollingUpdate": rolling})


def a_set(name: str, size: int, available: int = 0, **annotations: str):
    return a_replica_set(name, size, status={"availableReplicas": available}, annotations=annotations)


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        pytest.param(4, "25%", "25%", Bounds(4, 1, 1), id="even"),
        pytest.param(3, "25%", "25%", Bounds(3, 1, 0), id="surge up, unavailable down"),
        pytest.param(10, 0, "5%", Bounds(10, 0, 1), id="both zero: one may be missing"),
        pytest.param(1, 0, 0, Bounds(1, 0, 1), id="both zero as numbers"),
        pytest.param(2, 1, 5, Bounds(2, 1, 2), id="not more than there are"),
        pytest.param(0, "25%", "25%", Bounds(0, 0, 0), id="none"),
    ],
)
def test_bounds_round_as_upstream(replicas, surge, unavailable, expected) -> None:
    assert bounds_of(deployment(replicas, surge, unavailable)) == expected


def test_percentages_are_exact() -> None:
    assert scaled_value("33%", 100, round_up=True) == 33
    assert scaled_value("1%", 1, round_up=True) == 1
    assert scaled_value("99%", 1, round_up=False) == 0
    assert scaled_value("what", 9, round_up=True) == 0


def test_the_new_one_grows_by_the_surge() -> None:
    sets = Sets(a_set("new", 0), (a_set("old", 3, 3),))

    assert size_of(grow_new(deployment(3), sets).new) == 1  # type: ignore[arg-type]


def test_unhealthy_old_pods_go_before_healthy_ones() -> None:
    sets = Sets(a_set("new", 1, 0), (a_set("healthy", 3, 3), a_set("sick", 2, 0)))
    shrunk = shrink_old(deployment(4, 2, 1), sets)

    assert [size_of(rs) for rs in shrunk.old] == [3, 0]


def test_available_old_pods_go_as_new_ones_become_available() -> None:
    waiting = Sets(a_set("new", 1, 0), (a_set("old", 3, 3),))
    ready = Sets(a_set("new", 1, 1), (a_set("old", 3, 3),))

    assert shrink_old(deployment(3), waiting) == waiting
    assert [size_of(rs) for rs in shrink_old(deployment(3), ready).old] == [2]


def test_pods_that_the_last_round_gave_up_do_not_count_as_available() -> None:
    stale = Sets(a_set("new", 2, 2), (a_set("old", 2, 3),))

    assert [size_of(rs) for rs in shrink_old(deployment(3), stale).old] == [1]


COUNTS = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(lambda pair: (pair[0], min(pair)))


@given(
    replicas=st.integers(0, 12),
    surge=st.sampled_from([0, 1, 3, "25%", "100%"]),
    unavailable=st.sampled_from([0, 1, 3, "25%", "100%"]),
    new=COUNTS,
    old=st.lists(COUNTS, max_size=3),
)
def test_no_step_breaks_a_bound_that_held(replicas, surge, unavailable, new, old) -> None:
    owner = deployment(replicas, surge, unavailable)
    bounds = bounds_of(owner)
    sets = Sets(a_set("new", *new), tuple(a_set(f"old{n}", *counts) for n, counts in enumerate(old)))
    pods = sum(size_of(rs) for rs in sets.all)
    grown = grow_new(owner, sets)
    shrunk = shrink_old(owner, sets)

    assert sum(size_of(rs) for rs in grown.all) <= max(pods, bounds.pods_max)

    def surely_available(after: Sets) -> int:
        gone = {rs["metadata"]["name"]: size_of(rs) for rs in after.all}
        before = {rs["metadata"]["name"]: rs["status"]["availableReplicas"] for rs in sets.all}
        # The worst case: of a set that shrinks, only pods beyond its unavailable ones are spared.
        return sum(min(gone[name], available) for name, available in before.items())

    assert surely_available(shrunk) >= min(surely_available(sets), bounds.available_min)


def test_scaling_one_active_set_sizes_it_and_notes_it() -> None:
    sets = Sets(a_set("new", 3, 3, **{DESIRED_REPLICAS: "3"}), (a_set("old", 0),))
    owner = deployment(5)

    assert is_scaling_event(owner, sets)
    scaled = scale(owner, sets)
    assert size_of(scaled.new) == 5  # type: ignore[arg-type]
    assert not is_scaling_event(owner, scaled)


def test_scaling_in_the_middle_of_a_rollout_is_proportional() -> None:
    notes = {DESIRED_REPLICAS: "10", MAX_REPLICAS: "13"}
    sets = Sets(a_set("new", 5, 0, **notes), (a_set("old", 8, 8, **notes),))
    scaled = scale(deployment(15, 3, 2), sets)

    assert [size_of(rs) for rs in scaled.all] == [11, 7]
    assert sum(size_of(rs) for rs in scaled.all) == 18


def test_scaling_to_zero_empties_all() -> None:
    notes = {DESIRED_REPLICAS: "10", MAX_REPLICAS: "13"}
    sets = Sets(a_set("new", 5, 0, **notes), (a_set("old", 8, 8, **notes),))

    assert [size_of(rs) for rs in scale(deployment(0), sets).all] == [0, 0]


def test_a_saturated_new_set_ends_the_old_ones() -> None:
    sets = Sets(a_set("new", 3, 3, **{DESIRED_REPLICAS: "3"}), (a_set("a", 1), a_set("b", 2)))

    assert [size_of(rs) for rs in scale(deployment(3), sets).all] == [0, 0, 3]


def test_emptying_leaves_the_new_one_alone() -> None:
    sets = Sets(a_set("new", 3), (a_set("a", 1), a_set("b", 2)))

    assert [size_of(rs) for rs in empty_old(deployment(3), sets).all] == [0, 0, 3]
