"""`/logs/?query=docker`: which part of which service's log is asked for, and how the journal is asked.

Upstream: kubelet/kubelet_server_journal.go, _linux.go (NodeLogQuery).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from minikube_py.api.errors import BadRequestError
from minikube_py.api.meta import parse_time

SERVICES_MAX = 4
"""Services in one query, as upstream has it."""
TAIL_LINES_MAX = 100_000
_SERVICE = re.compile(r"[a-zA-Z0-9_.:@-][a-zA-Z0-9_.:@/-]*")


@dataclass(frozen=True, slots=True)
class NodeLogQuery:
    """A question for logs of the host."""

    services: tuple[str, ...]
    since: str = ""
    until: str = ""
    tail_lines: int | None = None
    pattern: str = ""
    boot: int | None = None


def parse_node_log_query(services: Sequence[str], query: Mapping[str, str]) -> NodeLogQuery:
    """Return what is asked; `services` is every `query` parameter.

    Raises:
        BadRequestError: something of it cannot be asked; says what.
    """
    if len(services) > SERVICES_MAX:
        raise BadRequestError(f"query: Too many: {len(services)}: must have at most {SERVICES_MAX} items")
    for service in services:
        if not _SERVICE.fullmatch(service) or ".." in service:
            raise BadRequestError(f'query: Invalid value: "{service}": is no service or file')
    for name in ("sinceTime", "untilTime"):
        try:
            parse_time(query[name]) if query.get(name) else None
        except ValueError:
            raise BadRequestError(f'{name}: Invalid value: "{query[name]}": must be an RFC3339 time') from None
    tail, boot = _number(query, "tailLines"), _number(query, "boot")
    if tail is not None and not 0 <= tail <= TAIL_LINES_MAX:
        raise BadRequestError(f"tailLines: Invalid value: {tail}: must be between 0 and {TAIL_LINES_MAX}, inclusive")
    if boot is not None and boot > 0:
        raise BadRequestError(f"boot: Invalid value: {boot}: must be less than or equal to 0")
    if boot is not None and (query.get("sinceTime") or query.get("untilTime")):
        raise BadRequestError("boot: Invalid value: not allowed together with sinceTime and untilTime")
    pattern = query.get("pattern", "")
    try:
        re.compile(pattern)
    except re.error as error:
        raise BadRequestError(f'pattern: Invalid value: "{pattern}": {error}') from error
    since, until = query.get("sinceTime", ""), query.get("untilTime", "")
    return NodeLogQuery(tuple(services), since, until, tail, pattern, boot)


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise BadRequestError(f'{name}: Invalid value: "{text}": must be a number')
    return int(text)


def journal_command(asked: NodeLogQuery) -> list[str]:
    """Return the journal's command line for the services."""
    argv = ["journalctl", "--utc", "--no-pager", "--output=short-precise"]
    argv += [f"--unit={service}" for service in asked.services]
    if asked.since:
        argv.append(f"--since={_journal_time(asked.since)}")
    if asked.until:
        argv.append(f"--until={_journal_time(asked.until)}")
    if asked.tail_lines is not None:
        argv.append(f"--lines={asked.tail_lines}")
    if asked.pattern:
        argv.append(f"--grep={asked.pattern}")
    if asked.boot is not None:
        argv.append(f"--boot={asked.boot}")
    return argv


def _journal_time(text: str) -> str:
    return f"@{int(parse_time(text))}"


def select_lines(text: str, asked: NodeLogQuery) -> str:
    """Return the lines of a log file that are asked for (files know nothing of times and boots)."""
    lines = text.splitlines(keepends=True)
    if asked.pattern:
        wanted = re.compile(asked.pattern)
        lines = [line for line in lines if wanted.search(line)]
    if asked.tail_lines is not None:
        lines = lines[-asked.tail_lines :] if asked.tail_lines else []
    return "".join(lines)
