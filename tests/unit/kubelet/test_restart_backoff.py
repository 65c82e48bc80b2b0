import pytest

from minikube_py.kubelet.restart_backoff import (
    RestartBackoff,
    back_off_message,
    format_delay,
    judge_restart,
)


def test_the_first_restart_is_immediate():
    verdict = judge_restart(None, finished_at_s=100.0, now_s=100.0)

    assert verdict.allowed
    assert verdict.state == RestartBackoff(10.0, 100.0)


def test_the_wait_counts_from_the_end_of_the_last_run():
    state = RestartBackoff(10.0, noted_at_s=100.0)

    assert judge_restart(state, finished_at_s=105.0, now_s=114.9).ready_at_s == 115.0
    assert judge_restart(state, finished_at_s=105.0, now_s=115.0).allowed


def test_waits_double_up_to_five_minutes():
    state, now_s, delays = None, 0.0, []
    for _ in range(8):
        verdict = judge_restart(state, finished_at_s=now_s, now_s=now_s + 300)
        state, now_s = verdict.state, now_s + 301
        delays.append(state.delay_s)

    assert delays == [10, 20, 40, 80, 160, 300, 300, 300]


def test_a_run_that_ended_ten_minutes_later_starts_anew():
    old = RestartBackoff(300.0, noted_at_s=0.0)

    assert not judge_restart(old, finished_at_s=600.0, now_s=600.0).allowed
    assert judge_restart(old, finished_at_s=600.1, now_s=600.1).state == RestartBackoff(10.0, 600.1)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(10, "10s"), (80, "1m20s"), (160, "2m40s"), (300, "5m0s"), (3600, "1h0m0s")],
)
def test_delays_read_as_in_go(seconds, text):
    assert format_delay(seconds) == text


def test_the_message_is_upstreams():
    assert back_off_message(RestartBackoff(10.0, 0), "c", "p_n(u)") == (
        "back-off 10s restarting failed container=c pod=p_n(u)"
    )
