import itertools

import pytest

from minikube_py.kubelet.pull_progress import PullProgress, next_wait_s, progress_message

MIB = 1 << 20


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (None, "waiting for other pulls of this node"),
        (PullProgress(), "the registry has not yet told its layers"),
        (PullProgress(5, 2), "2 of 5 layers"),
        (PullProgress(5, 2, 34 * MIB, 120 * MIB, are_sizes_known=True), "2 of 5 layers, 34 MiB of 120 MiB"),
        (PullProgress(5, 2, 34 * MIB, 120 * MIB), "2 of 5 layers, 34 MiB of at least 120 MiB"),
        (PullProgress(1, 0, 3 * 1024, MIB - 1, are_sizes_known=True), "0 of 1 layers, 3 KiB of 1023 KiB"),
    ],
)
def test_a_message_says_what_is_known(progress, words):
    assert progress_message("web:1", progress) == f'Pulling image "web:1": {words}'


def test_a_pull_is_told_after_ten_seconds_and_the_seldomer_the_longer_it_lasts():
    told = itertools.accumulate(range(100), lambda lasted_s, _: lasted_s + next_wait_s(lasted_s), initial=0.0)
    times = [time for time in told if 0 < time <= 3600]

    assert times[:5] == [10, 20, 30, 40, 50]
    waits = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert waits == sorted(waits)
    assert (waits[-1], len(times)) == (60, 68)
