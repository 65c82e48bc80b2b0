"""When a node was last heard of, and who may judge."""

from minikube_py.controllers.node_health import STALLED_PERIODS, NodeHealth

PERIOD_S = 5.0
STALLED_S = STALLED_PERIODS * PERIOD_S


def test_silence_counts_from_the_last_change_of_the_sign() -> None:
    health = NodeHealth(PERIOD_S)
    heard = [
        health.look("n1", sign, at_s).heard_s for sign, at_s in (("a", 0.0), ("a", 5.0), ("b", 10.0), ("b", 15.0))
    ]

    assert heard == [0.0, 0.0, 10.0, 10.0]


def test_who_stood_still_grants_a_fresh_grace_period() -> None:
    health = NodeHealth(PERIOD_S)
    health.look("n1", "a", 0.0)

    assert health.look("n1", "a", STALLED_S + 1).heard_s == STALLED_S + 1


def test_a_clock_that_was_set_back_does_not_make_a_node_silent() -> None:
    health = NodeHealth(PERIOD_S)
    health.look("n1", "a", 1000.0)

    assert health.look("n1", "a", 10.0).heard_s == 10.0


def test_a_forgotten_node_is_new() -> None:
    health = NodeHealth(PERIOD_S)
    health.look("n1", "a", 0.0)
    assert health.is_known("n1")
    health.forget("n1")

    assert not health.is_known("n1")
    assert health.look("n1", "a", 5.0).heard_s == 5.0
