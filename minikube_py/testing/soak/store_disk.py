"""The store on disks that fail: kills on a real disk that is full, then lives on a simulated one, seed after seed."""

import asyncio
import time

from minikube_py.testing.disk_lives import run_story
from minikube_py.testing.full_disk import run_full_rounds

FULL_DISK_ROUNDS = 200
STORIES_MIN = 2000


def run(minutes: float, seed: int) -> str:
    """Run the kills, then a story for each seed from `seed` on until `minutes` are over; returns what was done.

    With `minutes` 0 nothing but the story of `seed` is run: that is how a seed is repeated.

    Raises:
        AssertionError: a promise was broken; the text is the command that repeats it.
    """
    if not minutes:
        _one(seed)
        return f"the story of seed {seed}"
    deadline_s = time.monotonic() + minutes * 60
    full = asyncio.run(run_full_rounds(FULL_DISK_ROUNDS, seed))
    stories = lives = refused = acknowledged = 0
    while stories < STORIES_MIN or time.monotonic() < deadline_s:
        opened, unopened, last = _one(seed + stories)
        stories, lives, refused, acknowledged = stories + 1, lives + opened, refused + unopened, acknowledged + last
    return (
        f"{full.rounds} kills on a full disk, {full.acknowledged} acknowledged and {full.refused} refused writes; "
        f"{stories} stories, {lives} lives, {acknowledged} acknowledged, {refused} starts refused; nothing lost"
    )


def _one(seed: int) -> tuple[int, int, int]:
    try:
        story = run_story(seed)
    except BaseException as error:
        raise AssertionError(f"repeat: scripts/soak store_disk --minutes 0 --seed {seed}") from error
    return story.opened, story.refused, story.acknowledged
