"""`/logs/` of the kubelet's server: the files of /var/log, and with `?query=` what a service has logged.

Upstream: kubelet.go (ServeLogs, http.FileServer), kubelet_server_journal.go.
"""

import asyncio
import os
import shutil
from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from minikube_py.api.errors import InternalError, NotFoundError
from minikube_py.kit.io.process import ProcessError, run_program
from minikube_py.kubelet.node_log_query import NodeLogQuery, journal_command, parse_node_log_query, select_lines

JOURNAL_TIMEOUT_S = 30.0
QUERY_FILE_BYTES_MAX = 32 << 20
"""Of a longer log file only the end is searched."""


class NodeLogs:
    """Serves one folder of logs."""

    def __init__(self, root: str = "/var/log") -> None:
        self._root = Path(root)

    async def answer(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        """Answer a GET of `path` below the folder.

        Raises:
            StatusError: there is no such file, or the query cannot be answered.
        """
        services = request.query.getall("query", [])
        if services:
            asked = parse_node_log_query(services, request.query)
            return web.Response(text=await self._query(asked))
        found = self._root / path.strip("/")
        if ".." in Path(path).parts or not await asyncio.to_thread(found.exists):
            raise NotFoundError("404 page not found")
        if not await asyncio.to_thread(found.is_dir):
            return web.FileResponse(found, headers={"Content-Type": "text/plain; charset=utf-8"})
        if not request.path.endswith("/"):
            return web.Response(status=301, headers={"Location": f"{request.path.rpartition('/')[2]}/"})
        return web.Response(text=await asyncio.to_thread(_listing, found), content_type="text/html")

    async def _query(self, asked: NodeLogQuery) -> str:
        files = [service for service in asked.services if "/" in service]
        in_journal = [service for service in asked.services if "/" not in service]
        texts = [await asyncio.to_thread(self._file, name, asked) for name in files]
        if in_journal and shutil.which("journalctl"):
            wanted = NodeLogQuery(
                tuple(in_journal), asked.since, asked.until, asked.tail_lines, asked.pattern, asked.boot
            )
            try:
                done = await run_program(journal_command(wanted), timeout_s=JOURNAL_TIMEOUT_S)
            except ProcessError as error:
                raise InternalError(str(error)) from error
            if done.exit_code == 0 and "-- No entries --" not in done.stdout:
                return "".join((*texts, done.stdout))
        texts += [await asyncio.to_thread(self._file, name, asked) for name in in_journal]
        return "".join(texts)

    def _file(self, name: str, asked: NodeLogQuery) -> str:
        """Return what a log file of this name holds of what is asked."""
        for candidate in _candidates(name):
            path = self._root / candidate
            try:
                with path.open("rb") as file:
                    file.seek(max(file.seek(0, os.SEEK_END) - QUERY_FILE_BYTES_MAX, 0))
                    return select_lines(file.read().decode(errors="replace"), asked)
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                continue
            except OSError as error:
                raise InternalError(f"{path}: {error.strerror}") from error
        raise NotFoundError(f"log not found for {name}")


def _candidates(name: str) -> Sequence[str]:
    return (name, f"{name}.log", f"{name}/{name}.log")


def _listing(folder: Path) -> str:
    names = sorted(entry.name + ("/" if entry.is_dir() else "") for entry in os.scandir(folder))
    rows = "\n".join(f'<a href="{quote(name)}">{escape(name)}</a>' for name in names)
    return f'<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n{rows}\n</pre>\n'
