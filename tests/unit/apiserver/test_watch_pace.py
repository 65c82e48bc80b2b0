from itertools import pairwise
from random import Random

from minikube_py.apiserver.config import ApiServerConfig
from minikube_py.apiserver.list_options import ListOptions
from minikube_py.apiserver.watch_pace import WatchPace

CONFIG = ApiServerConfig(bookmark_interval_s=60.0, watch_timeout_s=(1800.0, 3600.0))


def _moments(options, seed=0):
    """Play a watch without events; return when it got bookmarks and when it ended, in seconds from its start."""
    now_s, bookmarks = 1000.0, []
    pace = WatchPace(CONFIG, options, now_s, Random(seed))
    while (wait_s := pace.wait_s(now_s)) is not None:
        now_s += wait_s
        if pace.take_bookmark(now_s):
            bookmarks.append(now_s - 1000.0)
    return bookmarks, now_s - 1000.0


def test_bookmarks_come_every_minute_and_once_before_the_end():
    bookmarks, end_s = _moments(ListOptions(timeout_s=300, bookmarks=True))
    assert end_s == 300.0
    assert 30.0 <= bookmarks[0] <= 60.0
    assert {round(later - earlier, 6) for earlier, later in pairwise(bookmarks[:-1])} == {60.0}
    assert bookmarks[-1] == 298.0


def test_a_short_watch_gets_its_bookmark_too():
    assert _moments(ListOptions(timeout_s=2, bookmarks=True)) == ([1.0], 2.0)


def test_without_the_option_there_are_none():
    assert _moments(ListOptions(timeout_s=300)) == ([], 300.0)


def test_a_watch_without_timeout_ends_at_a_random_time():
    ends = {_moments(ListOptions(), seed)[1] for seed in range(5)}
    assert len(ends) == 5
    assert all(1800.0 <= end_s <= 3600.0 for end_s in ends)
