"""What goes, and in which order: only what the program makes, never what somebody else put beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from minikube_py.install.plan import CONFIG_DIR, PREVIOUS, PROGRAM, RUNTIME_DIR, InstallError

_DATA_PARTS = ("server", "agent", "log", "runtime")


@dataclass(frozen=True, slots=True)
class Removal:
    """One step: single files go, then folders with everything in them; what is gone already does no harm."""

    files: tuple[str, ...]
    trees: tuple[PurePosixPath, ...]


def plan_removal(
    made: Sequence[str], data_dir: PurePosixPath, pod_logs_dir: PurePosixPath, kubeconfig: str
) -> tuple[Removal, ...]:
    """Return the steps of an uninstallation; `made` is what the record of the installation says.

    The record goes last: as long as it is there, what failed can be done again.
    """
    parts = tuple(data_dir / part for part in _DATA_PARTS)
    data = tuple(dict.fromkeys((*parts, pod_logs_dir, PurePosixPath(RUNTIME_DIR))))
    single = tuple(dict.fromkeys((*made, PROGRAM, PREVIOUS, kubeconfig)))
    return Removal((), data), Removal(single, (PurePosixPath(CONFIG_DIR),))


def require_unmounted(trees: Sequence[PurePosixPath], mount_points: Sequence[str]) -> None:
    """Make sure that nothing is mounted below what is removed: its files may be somebody's NFS share.

    Raises:
        InstallError: there is; names all of it.
    """
    inside = [point for point in mount_points if any(PurePosixPath(point).is_relative_to(tree) for tree in trees)]
    if inside:
        raise InstallError(
            f"still mounted: {', '.join(inside)}; unmount them, then run `minikube-py uninstall` again"
        )
