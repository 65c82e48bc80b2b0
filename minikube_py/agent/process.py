"""What every agent process does, whatever its roles: signals, systemd, and the commands `status` and `stop`."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import uvloop

from minikube_py.agent.errors import AgentError, leaves
from minikube_py.agent.host import Host
from minikube_py.agent.node import Node
from minikube_py.config import AgentConfig
from minikube_py.kit.io.process import keep_own_files
from minikube_py.kit.io.sd_notify import SdNotify, watchdog_interval_s

log = logging.getLogger("agent")


def control_path(config: AgentConfig) -> Path:
    """Return where the agent of this data folder listens for commands."""
    return config.agent_dir / "control.sock"


def require_root() -> None:
    """Make sure that containers, links and rules can be made at all.

    Raises:
        AgentError: the user is not root.
    """
    if os.geteuid() != 0:
        raise AgentError("must run as root: it starts containers, makes network links and sets kernel rules")


def run_process(main: Coroutine[Any, Any, None], explained: tuple[type[Exception], ...]) -> None:
    """Run a process's coroutine to its end; errors whose message says all that a user needs become an AgentError.

    Raises:
        AgentError: it cannot start, or cannot go on, for a reason that the user can mend.
    """
    keep_own_files()
    try:
        uvloop.run(main)
    except asyncio.CancelledError:
        log.info("stopped before the node was up")
    except BaseExceptionGroup as group:
        for error in leaves(group):
            if isinstance(error, (AgentError, *explained)):
                raise AgentError(str(error)) from group
        raise
    except explained as error:
        raise AgentError(str(error)) from error


class Process:
    """One agent process as its host sees it."""

    def __init__(self, config: AgentConfig, host: Host) -> None:
        self._config = config
        self._host = host
        self._notify = SdNotify()
        self._waiting_for = ""
        self._stopping = asyncio.Event()
        self._starting: asyncio.Task[Any] | None = None
        self.node: Node | None = None

    def catch_stop(self) -> None:
        """Stop in order at SIGTERM and SIGINT; the task that calls this is cancelled if it is not up by then."""
        self._starting = asyncio.current_task()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop)

    def _stop(self) -> None:
        self._stopping.set()
        if self._starting is not None:
            self._starting.cancel()

    def catch_hangup(self, reload: Callable[[], None]) -> None:
        """Call `reload` at SIGHUP."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload)

    def say(self, waiting_for: str) -> None:
        """Tell systemd, and whoever asks for the status, what the start waits for."""
        self._waiting_for = waiting_for
        self._notify.send(f"STATUS=waiting for {waiting_for}")

    def status(self, api: str) -> Mapping[str, Any]:
        """Return what `minikube-py status` prints of every agent."""
        ready = self.node is not None and self.node.kubelet.node.ready.is_set()
        return {
            "node": self._config.node_name,
            "address": self._config.node_ip,
            "ready": ready,
            "api": api,
            "pid": os.getpid(),
            "waiting_for": "" if ready else self._waiting_for,
            "components": [
                {"name": h.name, "state": h.state, "last_error": h.last_error} for h in self._host.health.values()
            ],
        }

    async def stop(self) -> Mapping[str, Any]:
        """Begin an orderly stop; answers at once."""
        self._stop()
        return {"pid": os.getpid()}

    async def wait_stopping(self) -> None:
        """Return when it was told to stop, systemd being told too; whoever waits is up."""
        self._starting = None
        await self._stopping.wait()
        self._notify.send("STOPPING=1")

    async def report(self) -> None:
        """Tell systemd when the node is Ready, and from then on that the loop is alive."""
        assert self.node is not None
        await self.node.proxier.wait_first_sync()
        await self.node.kubelet.node.ready.wait()
        self._waiting_for = ""
        self._notify.send("READY=1", f"STATUS=node {self._config.node_name} is Ready")
        log.info("node %s is Ready", self._config.node_name)
        interval_s = watchdog_interval_s()
        while interval_s:
            self._notify.send("WATCHDOG=1")
            await asyncio.sleep(interval_s)
        await self._stopping.wait()
