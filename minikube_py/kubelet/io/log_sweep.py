"""Removes what is left of logs: folders of pods that are gone, and links that lead nowhere.

A container's links go with it (log_links); what is found here was left by a host that went down, or by containers
that somebody else removed. Upstream: kuberuntime_gc.go evictPodLogsDirectories.
"""

import logging
import os
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

log = logging.getLogger("kubelet")


def log_uids(pod_logs_dir: str) -> tuple[str, ...]:
    """Return the uids of the pods that have a folder (`NS_POD_UID`), sorted."""
    return tuple(sorted({uid for name in _names(pod_logs_dir) if (uid := _uid_of(name))}))


def remove_logs(pod_logs_dir: str, uids: Collection[str]) -> None:
    """Remove the folders of these pods, and dangling links of the `containers` folder beside."""
    for name in _names(pod_logs_dir):
        if _uid_of(name) in uids:
            log.info("removed the logs of pod %s, which is gone", name)
            shutil.rmtree(os.path.join(pod_logs_dir, name), ignore_errors=True)
    containers = Path(pod_logs_dir).parent / "containers"
    for name in _names(str(containers)):
        link = containers / name
        if name.endswith(".log") and link.is_symlink() and not link.exists():
            link.unlink(missing_ok=True)


def _uid_of(folder: str) -> str:
    """Return the pod's uid, empty for a folder that is no pod's."""
    return folder.rpartition("_")[2] if folder.count("_") == 2 else ""


def _names(folder: str) -> list[str]:
    with suppress(OSError):
        return sorted(os.listdir(folder))
    return []
