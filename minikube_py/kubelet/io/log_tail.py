"""The end of a container's log, for terminationMessagePolicy FallbackToLogsOnError."""

import os

import orjson

LINES_MAX = 80
BYTES_MAX = 2048
_READ_BYTES = 64 << 10
"""JSON lines that hold the last 2 KiB of output are shorter than this, escapes and all."""


def read_log_tail(path: str) -> str:
    """Return the last 80 lines, at most 2048 bytes, of a json-file log; nothing when there is none."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - _READ_BYTES, 0))
            lines = file.read().splitlines()
    except OSError:
        return ""
    texts = [text for text in map(_text, lines[-LINES_MAX:]) if text is not None]
    return "".join(texts).encode()[-BYTES_MAX:].decode(errors="ignore")


def _text(line: bytes) -> str | None:
    try:
        return str(orjson.loads(line)["log"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
