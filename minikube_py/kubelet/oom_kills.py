"""Whom the kernel killed for want of memory, as its log says.

containerd tells the engine of it, unless it was not there yet or not any more, or the cgroup is gone before it looks:
the engine then knows of exit code 137 and nothing else. The kernel's log has a line for each such kill.

Upstream: cadvisor oomparser (for SystemOOM events; container statuses have the engine's word only).
"""

import re
from collections.abc import Mapping
from typing import Any

from minikube_py.kubelet.engine_leftovers import container_id_of

_VICTIM = re.compile(
    r"\boom-kill:.*\btask_memcg=(?P<path>[^,\s]+)|\bTask in (?P<old>\S+) killed as a result of limit of "
)
"""Since Linux 5.0, and before."""
_KILLED = 137
"""The exit code of a process that was killed."""


def oom_victim(line: str) -> str:
    """Return the id of the container that a line of the kernel's log says lost a process; empty when none did."""
    found = _VICTIM.search(line)
    path = (found["path"] or found["old"]) if found else ""
    return container_id_of(path.rpartition("/")[2])


def may_be_oom_kill(state: Mapping[str, Any]) -> bool:
    """Return whether a container ended as for want of memory, and Docker's record of its state is silent on it."""
    return state.get("Status") == "exited" and state.get("ExitCode") == _KILLED and not state.get("OOMKilled")
