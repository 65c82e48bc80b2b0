"""The tree of long-running tasks: who runs, who ended, and what a crash means.

An unexpected exception ends the whole agent with a traceback (crash-only: systemd starts it again, pods keep
running).
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Health:
    """What `status` shows for one component."""

    name: str
    state: str = "starting"
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
