"""Lives of the store on a disk that fails (testing.disk_lives), seed after seed."""

import time

from minikube_py.testing.disk_lives import run_story


def run(minutes: float, seed: int) -> str:
    """Run one story for each seed from `seed` on, until `minutes` are over; returns what was done.

    Raises:
        AssertionError: a promise was broken; the text is the command that repeats it.
    """
    deadline_s = time.monotonic() + minutes * 60
    stories = lives = refused = acknowledged = 0
    while not stories or time.monotonic() < deadline_s:
        try:
            story = run_story(seed + stories)
        except BaseException as error:
            raise AssertionError(f"repeat: scripts/soak store_disk --minutes 0 --seed {seed + stories}") from error
        stories, lives, refused = stories + 1, lives + story.opened, refused + story.refused
        acknowledged += story.acknowledged
    return f"{stories} stories, {lives} lives, {acknowledged} acknowledged, {refused} starts refused, nothing lost"
