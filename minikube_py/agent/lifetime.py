"""Running a set of components while a block lasts; leaving the block stops them, the youngest first."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

from minikube_py.kit.io.supervisor import Health, Supervisor

Run = Callable[[], Coroutine[Any, Any, None]]


@asynccontextmanager
async def running(health: dict[str, Health], components: Mapping[str, Run]) -> AsyncIterator[None]:
    """Run `components` while the context lasts; one that fails ends the block, and with it the agent."""
    async with asyncio.TaskGroup() as group:
        supervisor = Supervisor(group)
        supervisor.health = health
        for name, run in components.items():
            supervisor.spawn(name, run)
        try:
            yield
        finally:
            supervisor.cancel_all()
