import pytest

from minikube_py.agent.errors import AgentError
from minikube_py.agent.own_address import LOOK_INTERVAL_S, require_own_address
from minikube_py.kit.own_address import LinkAddress, OwnAddress
from minikube_py.testing.manual_clock import ManualClock


class Host:
    """A host whose address changes at each look; `None`: it has none."""

    def __init__(self, *looks: str | None) -> None:
        self._looks = iter(looks)
        self._now: str | None = None
        self.looks = 0

    def present(self) -> list[LinkAddress]:
        self.looks += 1
        self._now = next(self._looks)
        return [LinkAddress("lo", "127.0.0.1"), *([LinkAddress("eth0", self._now)] if self._now else [])]

    async def choose(self) -> OwnAddress:
        return OwnAddress(self._now or "", "it is that of the default route")


class Paced(ManualClock):
    """A clock that is ahead at once."""

    async def sleep(self, seconds: float) -> None:
        assert seconds == LOOK_INTERVAL_S


async def end_of(*looks: str | None) -> tuple[str, int]:
    """Return why the agent ends, and after how many looks."""
    host = Host(*looks)
    with pytest.raises(AgentError) as caught:
        await require_own_address("192.0.2.7", host.present, host.choose, Paced())
    return str(caught.value), host.looks


async def test_a_host_that_got_another_address_begins_anew_with_it():
    why, looks = await end_of("192.0.2.7", "192.0.2.9", "192.0.2.9")

    assert why.startswith("this host's address is 192.0.2.9 now, no more 192.0.2.7 (it is that of the default route)")
    assert looks == 3


async def test_an_address_that_is_away_or_another_for_a_moment_is_no_reason():
    _, looks = await end_of("192.0.2.9", "192.0.2.7", None, None, "192.0.2.9", "192.0.2.7", "192.0.2.9", "192.0.2.9")

    assert looks == 8
