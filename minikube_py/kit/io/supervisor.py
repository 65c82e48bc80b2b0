"""The tree of long-running tasks: who runs, who ended, and what a crash means.

An unexpected exception ends the whole agent with a traceback (crash-only: systemd starts it again, pods keep
running). The only task that may fail alone is one started by `spawn_guarded`, which retries with back-off; it is
the one place of the product where `except Exception` stands.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from minikube_py.kit.backoff import BackoffPolicy, BackoffState, next_backoff

log = logging.getLogger("supervisor")

RETRY = BackoffPolicy(initial_s=0.1, maximum_s=10.0, reset_after_s=30.0)


@dataclass(slots=True)
class Health:
    """What `status` shows for one component."""

    name: str
    state: str = "starting"
    restarts: int = 0
    last_error: str = ""


class Supervisor:
    """Starts named tasks inside one TaskGroup and remembers how each of them fares."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self.health: dict[str, Health] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def spawn(self, name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        """Start `run` as task `name`; an exception of it ends the agent."""
        health = self.health.setdefault(name, Health(name))
        task = self._group.create_task(_marked(health, run), name=name)
        self._tasks.append(task)
        return task

    def spawn_guarded(self, name: str, run: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Start `run` as task `name`; when it fails, log the traceback and run it again with back-off."""
        health = self.health.setdefault(name, Health(name))
        task = self._group.create_task(_guarded(health, run), name=name)
        self._tasks.append(task)
        return task

    def cancel_all(self) -> None:
        """Cancel every task, the youngest first."""
        for task in reversed(self._tasks):
            task.cancel()


async def _marked(health: Health, run: Callable[[], Awaitable[None]]) -> None:
    health.state = "running"
    try:
        await run()
    except asyncio.CancelledError:
        health.state = "stopped"
        raise
    except BaseException as error:
        health.state, health.last_error = "failed", repr(error)
        raise
    health.state = "ended"


async def _guarded(health: Health, run: Callable[[], Awaitable[None]]) -> None:
    loop = asyncio.get_running_loop()
    backoff: BackoffState | None = None
    while True:
        health.state = "running"
        try:
            await run()
        except Exception as error:
            health.state, health.last_error = "retrying", repr(error)
            health.restarts += 1
            backoff = next_backoff(RETRY, backoff, loop.time())
            log.exception("component %s failed, next try in %.1f s", health.name, backoff.delay_s)
            await asyncio.sleep(backoff.delay_s)
        else:
            health.state = "ended"
            return
