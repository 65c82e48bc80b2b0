import pytest

from minikube_py.kubelet.config import EVICTION_HARD
from minikube_py.kubelet.eviction_thresholds import (
    ThresholdError,
    hard_reservation,
    parse_amount,
    parse_thresholds,
)

GIB = 1 << 30


def test_the_defaults_are_hard_thresholds_and_memory_guards_all_pods_together_too():
    found = parse_thresholds(EVICTION_HARD, (), (), ())

    assert [t.signal for t in found] == [*(name for name, _ in EVICTION_HARD), "allocatableMemory.available"]
    assert all(t.is_hard for t in found)


def test_a_soft_threshold_has_its_grace_period_and_its_minimum_reclaim():
    (soft,) = parse_thresholds(
        (), (("memory.available", "1Gi"),), (("memory.available", "1m30s"),), (("memory.available", "512Mi"),)
    )

    assert (soft.grace_s, soft.is_hard) == (90.0, False)
    assert soft.is_met(GIB - 1, 8 * GIB, with_reclaim=False)
    assert not soft.is_met(GIB, 8 * GIB, with_reclaim=False)
    assert soft.is_met(GIB, 8 * GIB, with_reclaim=True)
    assert not soft.is_met(GIB + (512 << 20), 8 * GIB, with_reclaim=True)


def test_a_percentage_is_of_the_capacity():
    amount = parse_amount("nodefs.available", "25%")

    assert str(amount.of(8 * GIB)) == "2Gi"


@pytest.mark.parametrize("text", ["0%", "100%"])
def test_these_percentages_switch_a_signal_off(text):
    assert parse_amount("nodefs.available", text) is None
    assert parse_thresholds((("nodefs.available", text),), (), (), ()) == ()


@pytest.mark.parametrize(
    ("signal", "text", "words"),
    [
        ("memory.free", "1Gi", "unsupported eviction signal memory.free"),
        ("memory.available", "0", "must be positive"),
        ("memory.available", "lots", "memory.available: 'lots'"),
        ("nodefs.available", "x%", "not a percentage"),
        ("nodefs.available", "120%", "between 0% and 100%"),
    ],
)
def test_what_cannot_be_used_is_named(signal, text, words):
    with pytest.raises(ThresholdError, match=words):
        parse_amount(signal, text)


def test_a_soft_threshold_needs_a_grace_period():
    with pytest.raises(ThresholdError, match=r"grace period must be specified .* pid\.available"):
        parse_thresholds((), (("pid.available", "100"),), (), ())


def test_hard_thresholds_keep_their_amount_from_pods():
    hard = (("memory.available", "100Mi"), ("nodefs.available", "10%"))

    assert hard_reservation(hard, "memory.available", GIB) == 100 << 20
    assert hard_reservation(hard, "imagefs.available", GIB) == 0
