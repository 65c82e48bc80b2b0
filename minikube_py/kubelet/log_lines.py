"""Docker's json-file log lines, and which of them `kubectl logs` shows.

A line of the file is a JSON object with `log`, `stream` and `time`. Docker cuts text at 16 KiB: only the last piece
of a line ends with a newline, and pieces of both streams may alternate. Lines that are torn (the host went down while
Docker wrote) are skipped.

What is shown (PodLogOptions): the last `tail_lines` whole lines of the chosen stream, of these the ones at or after
`since_s`, each line with its time in front when wanted (a piece that continues a line gets none), and of all that at
most `limit_bytes`.

Upstream: kubelet kuberuntime/logs (parseDockerJSONLog, logWriter).
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from minikube_py.api.streams import LogOptions

_STREAMS = {"Stdout": "stdout", "Stderr": "stderr"}


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of the file: a line of the container's, or a piece of a long one."""

    stream: str
    time: str
    text: bytes

    @property
    def ends_line(self) -> bool:
        """Whether the line is complete with this piece."""
        return self.text.endswith(b"\n")


def parse_log_line(line: bytes) -> LogEntry | None:
    """Return what a line of the file says, or None when it is torn."""
    try:
        document = orjson.loads(line)
        return LogEntry(document["stream"], document["time"], document["log"].encode("utf-8", "surrogatepass"))
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return None


def fixed_width_time(time: str) -> str:
    """Return Docker's time with all nine digits of a second, as `--timestamps` shows it."""
    whole, _, rest = time.removesuffix("Z").partition(".")
    return f"{whole}.{rest:0<9}Z"


def since_text(since_s: float) -> str:
    """Return a moment as text that compares with `fixed_width_time` (both UTC, both of fixed width)."""
    seconds, nanoseconds = divmod(round(since_s * 10**6) * 1000, 10**9)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{nanoseconds:09d}Z"


class TailFinder:
    """Reads lines from the last to the first, and says where the last `lines` of the chosen stream begin."""

    def __init__(self, lines: int, stream: str) -> None:
        self._left = lines
        self._stream = _STREAMS.get(stream)
        self._newest: set[str] = set()

    def covers(self, line: bytes) -> bool:
        """Return whether `line` belongs to the tail; the first one that does not ends the search."""
        entry = parse_log_line(line)
        if entry is None or (self._stream is not None and entry.stream != self._stream):
            return True  # not shown, and does not count
        # Going backwards a line begins with its last piece: one that ends with a newline, or the newest of its
        # stream, which the container may not have finished yet.
        if entry.ends_line or entry.stream not in self._newest:
            self._newest.add(entry.stream)
            self._left -= 1
        return self._left >= 0


class LogFilter:
    """Turns lines of the file, oldest first, into what the client gets."""

    def __init__(self, options: LogOptions) -> None:
        self._stream = _STREAMS.get(options.stream)
        self._since = since_text(options.since_s) if options.since_s is not None else ""
        self._timestamps = options.timestamps
        self._bytes_left = options.limit_bytes
        self._within_line: dict[str, bool] = {}

    @property
    def full(self) -> bool:
        """Whether the limit is reached: nothing more will come."""
        return self._bytes_left is not None and self._bytes_left <= 0

    def render(self, line: bytes) -> bytes:
        """Return what `line` adds to the output, which may be nothing."""
        entry = parse_log_line(line)
        if entry is None or (self._stream is not None and entry.stream != self._stream):
            return b""
        continues = self._within_line.get(entry.stream, False)
        self._within_line[entry.stream] = not entry.ends_line
        time = fixed_width_time(entry.time)
        if time < self._since:
            return b""
        shown = entry.text
        if self._timestamps and not continues:
            shown = time.encode() + b" " + shown
        if self._bytes_left is not None:
            shown = shown[: self._bytes_left]
            self._bytes_left -= len(shown)
        return shown
