"""Docker's events as hints: which pod to look at, and who has just died.

Own reader, because aiodocker's ends for good at one long line (labels are copied into every event). Events are never
the truth: the daemon forgets all but the last 256, and streams are known to stop silently. Therefore

- after every loss the stream is taken up where it ended (`since`), and the reader says `reconnected`, so that the
  kubelet lists everything once;
- a stream without any event for STREAM_AGE_MAX_S is opened again: it may have died unnoticed.

Upstream: kubelet pleg (evented), dockershim has none.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from typing import Any

import orjson

from minikube_py.kit.backoff import BackoffPolicy, BackoffState, next_backoff
from minikube_py.kit.clock import Clock
from minikube_py.kubelet.cri import ContainerRuntimeError, RuntimeErrorKind, RuntimeEvent
from minikube_py.kubelet.docker_names import CONTAINER_TYPE, NODE, POD_UID
from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.kubelet.io.line_stream import split_lines

log = logging.getLogger("kubelet.docker")

STREAM_AGE_MAX_S = 300.0
RECONNECT = BackoffPolicy(initial_s=0.1, maximum_s=5.0, reset_after_s=30.0)

# What exec probes cause (exec_create, exec_start, exec_die) is left out: it says nothing of the pod and comes often.
_ACTIONS = ("start", "die", "oom", "destroy", "pause", "unpause")


class DockerEvents:
    """Reads the events of one node's containers, and wakes those who wait for a death."""

    def __init__(self, api: DockerApi, node_name: str, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._filters = orjson.dumps(
            {"type": ["container"], "label": [CONTAINER_TYPE, f"{NODE}={node_name}"], "event": list(_ACTIONS)}
        ).decode()
        self._since = ""
        self.is_following = False
        """The stream stands: what changes is told."""
        self._waiting: dict[str, set[asyncio.Event]] = {}

    def begin(self) -> None:
        """Have the stream begin with what happens from now on, however late it is opened (the first call counts)."""
        if not self._since:
            self._since = f"{self._clock.wall_s():.9f}"

    async def read(self) -> AsyncIterator[RuntimeEvent]:
        """Yield hints for ever. The first one is `reconnected` too: what happened before is not known."""
        backoff: BackoffState | None = None
        while True:
            try:
                async with aclosing(self._read_once()) as events:
                    async for event in events:
                        backoff = None
                        yield event
            except ContainerRuntimeError as error:
                if error.kind is not RuntimeErrorKind.TIMEOUT:
                    backoff = next_backoff(RECONNECT, backoff, self._clock.now_s())
                    log.warning("event stream lost, next try in %.1f s: %s", backoff.delay_s, error.message)
                    await self._clock.sleep(backoff.delay_s)

    async def _read_once(self) -> AsyncGenerator[RuntimeEvent, None]:
        self.begin()
        query = {"filters": self._filters, "since": self._since}
        async with self._api.stream("events", params=query, stall_s=STREAM_AGE_MAX_S) as chunks:
            self.is_following = True
            try:
                yield RuntimeEvent("", "reconnected")
                async for line in split_lines(chunks):
                    document = orjson.loads(line)
                    stamp = _stamp(document)
                    if stamp == self._since:
                        continue  # `since` includes the moment itself
                    self._since = stamp or self._since
                    yield self._note(document)
            finally:
                self.is_following = False
        raise ContainerRuntimeError(RuntimeErrorKind.UNAVAILABLE, "Docker closed the event stream")

    def _note(self, document: Mapping[str, Any]) -> RuntimeEvent:
        actor = document.get("Actor") or {}
        action = str(document.get("Action", ""))
        if action in ("die", "destroy"):
            for waiter in self._waiting.get(str(actor.get("ID", "")), ()):
                waiter.set()
        uid, container = str((actor.get("Attributes") or {}).get(POD_UID, "")), str(actor.get("ID", ""))
        return RuntimeEvent(uid, action, container)

    async def wait_death(self, container: str, timeout_s: float) -> bool:
        """Wait for the container's death for at most `timeout_s`.

        Returns:
            True when it came; False says nothing, the caller looks then.
        """
        with self.watching(container) as death:
            return await happens_within(death, timeout_s)

    @contextmanager
    def watching(self, container: str) -> Iterator[asyncio.Event]:
        """Give an event that is set at the container's death from here on (while `is_following`)."""
        waiter = asyncio.Event()
        self._waiting.setdefault(container, set()).add(waiter)
        try:
            yield waiter
        finally:
            waiters = self._waiting[container]
            waiters.discard(waiter)
            if not waiters:
                del self._waiting[container]


async def happens_within(event: asyncio.Event, timeout_s: float) -> bool:
    """Return whether `event` is set within `timeout_s`."""
    try:
        async with asyncio.timeout(timeout_s):
            return await event.wait()
    except TimeoutError:
        return False


def _stamp(document: Mapping[str, Any]) -> str:
    nanoseconds = int(document.get("timeNano") or 0)
    return f"{nanoseconds // 10**9}.{nanoseconds % 10**9:09d}" if nanoseconds else ""
