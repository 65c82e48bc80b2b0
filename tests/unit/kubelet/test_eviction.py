from dataclasses import replace

import pytest

from minikube_py.kubelet.eviction import EvictionState, Observation, compute_round, met_thresholds, observe_node
from minikube_py.kubelet.eviction_thresholds import parse_thresholds
from minikube_py.kubelet.statistics import CgroupSample, FileSystem, NodeSample

MIB = 1 << 20
HARD = parse_thresholds((("memory.available", "100Mi"), ("nodefs.available", "10%")), (), (), ())
SOFT = parse_thresholds(
    (), (("memory.available", "200Mi"),), (("memory.available", "30s"),), (("memory.available", "50Mi"),)
)
TRANSITION_S = 300.0


def seen(memory_mib=1000, disk=50, at_s=0.0):
    return {
        "memory.available": Observation(memory_mib * MIB, 8000 * MIB, at_s),
        "nodefs.available": Observation(disk, 100, at_s),
    }


def rounds(thresholds, *looks):
    """Return the rounds of several looks: (now_s, observations)."""
    state, found = EvictionState(), []
    for now_s, observations in looks:
        found.append(compute_round(state, thresholds, observations, now_s, TRANSITION_S))
        state = found[-1].state
    return found


def test_nothing_is_asked_for_while_there_is_enough():
    (only,) = rounds(HARD, (0.0, seen()))

    assert (only.conditions, only.acting) == ((), ())


def test_a_hard_threshold_acts_at_once():
    (only,) = rounds(HARD, (0.0, seen(memory_mib=99)))

    assert only.conditions == ("MemoryPressure",)
    assert [t.signal for t in only.acting] == ["memory.available"]


def test_memory_comes_before_disks():
    (only,) = rounds(HARD, (0.0, seen(memory_mib=99, disk=5)))

    assert only.conditions == ("DiskPressure", "MemoryPressure")
    assert [t.signal for t in only.acting] == ["memory.available", "nodefs.available"]


def test_a_soft_threshold_is_pressure_at_once_and_acts_after_its_grace_period():
    first, later = rounds(SOFT, (0.0, seen(150, at_s=0)), (30.0, seen(150, at_s=30)))

    assert (first.conditions, first.acting) == (("MemoryPressure",), ())
    assert [t.signal for t in later.acting] == ["memory.available"]


def test_a_soft_threshold_that_was_left_meanwhile_begins_anew():
    found = rounds(SOFT, (0.0, seen(150)), (20.0, seen(500, at_s=20)), (30.0, seen(150, at_s=30)))

    assert found[-1].acting == ()


def test_a_threshold_that_acted_is_met_until_the_minimum_reclaim_is_reached():
    found = rounds(
        SOFT,
        (0.0, seen(150)),
        (30.0, seen(150, at_s=30)),
        (40.0, seen(220, at_s=40)),
        (50.0, seen(251, at_s=50)),
    )

    assert [len(r.acting) for r in found] == [0, 1, 1, 0]


def test_a_condition_stays_for_the_transition_period():
    found = rounds(HARD, (0.0, seen(99)), (299.0, seen(at_s=299)), (300.0, seen(at_s=300)))

    assert [r.conditions for r in found] == [("MemoryPressure",), ("MemoryPressure",), ()]


def test_the_same_measurement_does_not_act_twice():
    found = rounds(HARD, (0.0, seen(99, at_s=5)), (1.0, seen(99, at_s=5)), (2.0, seen(99, at_s=6)))

    assert [len(r.acting) for r in found] == [1, 0, 1]


def test_what_cannot_be_observed_is_not_met():
    assert met_thresholds(HARD, {}) == ()


def a_node(**fields):
    fs = FileSystem(1, 1000, 400, 100, 60)
    cgroup = CgroupSample(7.0, working_set_bytes=300)
    return replace(NodeSample(cgroup, (), fs, fs, 32768, 768, 1000, 0.0), **fields)


def test_a_host_shows_every_signal():
    pods = CgroupSample(7.0, working_set_bytes=100, limit_bytes=900)

    assert observe_node(a_node(pods_cgroup=pods)) == {
        "memory.available": Observation(700, 1000, 7.0),
        "allocatableMemory.available": Observation(800, 900, 7.0),
        "nodefs.available": Observation(400, 1000, 7.0),
        "nodefs.inodesFree": Observation(60, 100, 7.0),
        "imagefs.available": Observation(400, 1000, 7.0),
        "imagefs.inodesFree": Observation(60, 100, 7.0),
        "pid.available": Observation(32000, 32768, 7.0),
    }


@pytest.mark.parametrize("signal", ["nodefs.inodesFree", "imagefs.inodesFree", "allocatableMemory.available"])
def test_what_a_host_does_not_have_is_no_signal(signal):
    bare = FileSystem(1, 1000, 400, 0, 0)

    assert signal not in observe_node(a_node(node_fs=bare, image_fs=bare))
