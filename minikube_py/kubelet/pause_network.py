"""When a pause process that was started in the host's network counts as having left it.

A pod in the host's network by accident would be reached from outside, see the host's traffic and open its ports: the
answer here is no unless every sign says yes. The signs: the pause process has a network namespace that is none of
the host's, and it has given up root (which it does only after `unshare` has succeeded, and ends when either fails).
"""

from collections.abc import Collection
from enum import Enum

from minikube_py.kubelet.pause_image import PAUSE_ID


class Departure(Enum):
    """How far a pause process is."""

    LEFT = "left"
    NOT_YET = "not yet"
    ENDED = "ended"


def judge_departure(netns: str, status: str, host_netns: Collection[str]) -> Departure:
    """Return how far a pause process is.

    Args:
        netns: what /proc/PID/ns/net leads to (`net:[…]`); empty when there is no such process any more.
        status: the text of /proc/PID/status, read before `netns`.
        host_netns: the namespaces that are the host's; none known means that nothing has left them.
    """
    if not netns or not status:
        return Departure.ENDED
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    if fields.get("State", "").split()[:1] in (["Z"], ["X"]):
        return Departure.ENDED
    ids = {*fields.get("Uid", "").split(), *fields.get("Gid", "").split()}
    powers = {fields.get(name, "?").strip().strip("0") for name in ("CapPrm", "CapEff")}
    gone = bool(host_netns) and netns not in host_netns
    return Departure.LEFT if gone and ids == {str(PAUSE_ID)} and powers == {""} else Departure.NOT_YET
