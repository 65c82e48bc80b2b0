"""Log lines as text for people or JSON for machines, from the standard logging module."""

import logging
import sys
from datetime import UTC, datetime

import orjson

from minikube_py.kit.notes import Note

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class TextFormatter(logging.Formatter):
    """`2026-11-24T06:00:00.123Z INFO kubelet: message key=value`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line (more when there is a traceback)."""
        fields = "".join(f" {key}={value}" for key, value in _fields(record).items())
        line = f"{_stamp(record)} {record.levelname} {record.name}: {record.getMessage()}{fields}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line: ts, level, logger, msg, and the record's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        line: dict[str, object] = {
            "ts": _stamp(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "msg": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def _stamp(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fields(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in vars(record).items() if key not in _PLAIN}


def set_up_logs(log_format: str, verbosity: int) -> None:
    """Send the root logger to stderr in `log_format` (text or json); verbosity 0 info, 1 debug of ours, 2 all."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if verbosity else logging.INFO)
    for noisy in ("asyncio", "aiohttp", "pyroute2"):
        logging.getLogger(noisy).setLevel(logging.DEBUG if verbosity > 1 else logging.WARNING)


def write_note(logger: logging.Logger, note: Note) -> None:
    """Write what a rule wanted logged."""
    logger.log(_LEVELS[note.level], "%s", note.message, extra=dict(note.fields))
