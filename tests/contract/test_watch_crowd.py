"""Many watchers with random disconnects and slow readers (`scripts/soak watch` is the long form, with 1,000)."""

import re

import pytest

from minikube_py.testing.watch_crowd import follow

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", [1])
async def test_every_watcher_sees_every_event_once_and_in_order_or_lists_again(seed):
    said = await follow(seed, followers=60, writes=250)

    counted = {what: int(count) for what, count in re.findall(r"'(\w+)': (\d+)", said)}
    assert counted["watches"] > 100, "nobody ever left"
    assert counted["expired"] > 0, "nobody was ever too late"
    assert counted["events"] > 3000
    assert not said.endswith(" 0 cut off"), "nobody was ever too slow"
