from minikube_py.kit.backoff import BackoffPolicy, next_backoff

POLICY = BackoffPolicy(initial_s=10, maximum_s=300, reset_after_s=600)


def test_delays_double_up_to_the_maximum():
    state, now, delays = None, 0.0, []
    for _ in range(7):
        state = next_backoff(POLICY, state, now)
        delays.append(state.delay_s)
        now = state.ready_at_s()

    assert delays == [10, 20, 40, 80, 160, 300, 300]


def test_a_quiet_key_starts_again():
    state = next_backoff(POLICY, next_backoff(POLICY, None, 0.0), 20.0)

    assert next_backoff(POLICY, state, 20.0 + 601).delay_s == 10
