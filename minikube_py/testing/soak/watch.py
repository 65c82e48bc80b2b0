"""1,000 watchers with random disconnects and slow readers: every event once, in order, or 410 and a new list."""

import time

import uvloop

from minikube_py.testing.watch_crowd import follow

WATCHERS = 1000
WRITES = 400


def run(minutes: float, seed: int) -> str:
    """Run crowds for `minutes`; returns what was done.

    Raises:
        AssertionError (in a group): the rule of watches was broken; says where.
    """
    deadline = time.monotonic() + minutes * 60
    rounds, said = 0, ""
    while time.monotonic() < deadline or not rounds:
        said = uvloop.run(follow(seed + rounds, WATCHERS, WRITES))
        rounds += 1
    return f"{rounds} rounds; the last one: {said}"
