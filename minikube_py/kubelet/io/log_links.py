"""Symbolic links that make Docker's log files findable where Kubernetes' tools look.

`/var/log/pods/NS_POD_UID/CONTAINER/ATTEMPT.log` leads to Docker's json-file log, and
`/var/log/containers/POD_NS_CONTAINER-ID.log` leads to that: log shippers read the second folder and take the pod's
name from the file's. Links go before their container does, else they dangle.

Upstream: kuberuntime legacy.go, dockershim createContainerLogSymlink.
"""

import os
from contextlib import suppress
from pathlib import Path

from minikube_py.kubelet.cri import PodIdentity


def link_log(log_path: str, engine_log: str, pod: PodIdentity, container: str, identity: str) -> None:
    """Make both links, replacing those of an earlier try.

    Raises:
        OSError: the folder cannot be written.
    """
    path = Path(log_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, engine_log)
    flat = flat_path(log_path, pod, container, identity)
    flat.parent.mkdir(parents=True, exist_ok=True)
    _replace(flat, log_path)


def unlink_log(log_path: str, pod: PodIdentity, container: str, identity: str) -> None:
    """Remove both links, and the folders that hold nothing else."""
    path = Path(log_path)
    for link in (flat_path(log_path, pod, container, identity), path):
        link.unlink(missing_ok=True)
    with suppress(OSError):  # another attempt's log is still there
        path.parent.rmdir()
        path.parent.parent.rmdir()


def flat_path(log_path: str, pod: PodIdentity, container: str, identity: str) -> Path:
    """Return the link in the `containers` folder beside the `pods` folder that `log_path` lies in."""
    logs = Path(log_path).parents[3]
    # A file name ends at 255 bytes; the id's 64 digits tell containers apart, so the names in front may be cut.
    names = f"{pod.name}_{pod.namespace}_{container}"[: 255 - len(f"-{identity}.log")]
    return logs / "containers" / f"{names}-{identity}.log"


def _replace(link: Path, target: str) -> None:
    beside = link.with_name(f".{link.name[:200]}.new")
    beside.unlink(missing_ok=True)
    os.symlink(target, beside)
    os.replace(beside, link)
