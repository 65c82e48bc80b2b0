"""How far a pull is: what a runtime tells, in which words people read it, and how often.

A pull of some seconds is told by its end only. One that lasts is an Event whose message moves on, seldomer the longer
it lasts, so that an hour of pulling costs the API server some seventy writes.

Upstream has no Events for it (dockershim logs the progress every 10 s, "TODO: report as events").
"""

from collections.abc import Callable
from dataclasses import dataclass

WAIT_MIN_S = 10.0
"""A pull that takes no longer is not told; dockershim's interval."""
WAIT_MAX_S = 60.0


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far a pull is that has begun; nothing of it is known at first."""

    layers: int = 0
    layers_done: int = 0
    """Unpacked, or here before."""
    bytes_done: int = 0
    bytes_known: int = 0
    """Of the layers whose size the registry has told: those that are, or were, on their way."""
    are_sizes_known: bool = False
    """Every layer's size is known: `bytes_known` is all there is to load."""


PullWatcher = Callable[[PullProgress], None]
"""Is told whenever a pull has moved on; must not wait."""


def progress_message(image: str, progress: PullProgress | None) -> str:
    """Return what people read of a pull; None: it waits for others of this node."""
    text = f'Pulling image "{image}": '
    if progress is None:
        return f"{text}waiting for other pulls of this node"
    if not progress.layers:
        return f"{text}the registry has not yet told its layers"
    text += f"{progress.layers_done} of {progress.layers} layers"
    if not progress.bytes_known:
        return text
    unit, size = ("MiB", 1 << 20) if progress.bytes_known >= 1 << 20 else ("KiB", 1 << 10)
    least = "" if progress.are_sizes_known else "at least "
    return f"{text}, {progress.bytes_done // size} {unit} of {least}{progress.bytes_known // size} {unit}"


def next_wait_s(lasted_s: float) -> float:
    """Return how long to wait until a pull that has lasted so long is told again."""
    return min(max(lasted_s / 4, WAIT_MIN_S), WAIT_MAX_S)
