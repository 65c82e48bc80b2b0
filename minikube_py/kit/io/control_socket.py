"""A Unix socket over which the commands on this host talk to the running agent: one word in, one JSON line out.

The path may be longer than the 107 bytes that a socket address holds, so both sides go through an open folder
(`/proc/self/fd/N/NAME`). The folder's mode (0700) is the access control.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import orjson

from minikube_py.kit.errors import UserError

WORD_BYTES_MAX = 100
ANSWER_BYTES_MAX = 1 << 20

Command = Callable[[], Awaitable[Mapping[str, Any]]]


class AgentNotRunningError(Exception):
    """No agent listens there."""


class ControlForbiddenError(UserError):
    """This user may not talk to the agent."""


@asynccontextmanager
async def control_socket(path: Path, commands: Mapping[str, Command]) -> AsyncIterator[None]:
    """Serve `commands` at `path` while the context lasts."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        path.unlink()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError):
                writer.write(orjson.dumps(await _answer(reader, commands)) + b"\n")
                await writer.drain()
        finally:
            writer.close()

    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        server = await asyncio.start_unix_server(serve, f"/proc/self/fd/{folder}/{path.name}", limit=WORD_BYTES_MAX)
    finally:
        os.close(folder)
    try:
        yield
    finally:
        server.close()
        with suppress(FileNotFoundError):
            path.unlink()


async def _answer(reader: asyncio.StreamReader, commands: Mapping[str, Command]) -> Mapping[str, Any]:
    try:
        word = (await reader.readline()).decode(errors="replace").strip()
    except ValueError:
        return {"error": f"a command of more than {WORD_BYTES_MAX} bytes"}
    command = commands.get(word)
    return await command() if command is not None else {"error": f"unknown command {word!r}"}


async def ask_agent(path: Path, word: str, timeout_s: float) -> Mapping[str, Any]:
    """Send one command to the agent that listens at `path` and return its answer.

    Raises:
        AgentNotRunningError: nobody listens there, or who did went before the answer was whole.
        ControlForbiddenError: this user may not ask.
        TimeoutError: no answer in time.
    """
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError as error:
        raise AgentNotRunningError from error
    except PermissionError as error:
        raise ControlForbiddenError(f"cannot read {path.parent}: run this as root") from error
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_unix_connection(
                f"/proc/self/fd/{folder}/{path.name}", limit=ANSWER_BYTES_MAX
            )
            try:
                writer.write(word.encode() + b"\n")
                await writer.drain()
                line = await reader.readline()
            finally:
                writer.close()
        if not line.endswith(b"\n"):
            raise AgentNotRunningError
        answer: Mapping[str, Any] = orjson.loads(line)
        return answer
    except (FileNotFoundError, ConnectionError) as error:
        raise AgentNotRunningError from error
    finally:
        os.close(folder)
