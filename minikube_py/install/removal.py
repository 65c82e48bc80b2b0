"""Which folders of the data go: only those that the program makes, never what somebody else put beside them."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from minikube_py.install.plan import CONFIG_DIR, PREVIOUS, PROGRAM, RUNTIME_DIR, InstallError

_DATA_PARTS = ("server", "agent", "log", "runtime")


def trees_to_remove(data_dir: PurePosixPath, pod_logs_dir: PurePosixPath) -> tuple[PurePosixPath, ...]:
    """Return the folders that an uninstallation removes with everything in them."""
    parts = tuple(data_dir / part for part in _DATA_PARTS)
    return tuple(dict.fromkeys((*parts, pod_logs_dir, PurePosixPath(RUNTIME_DIR), PurePosixPath(CONFIG_DIR))))


def files_to_remove(made: Sequence[str]) -> tuple[str, ...]:
    """Return the single files that an uninstallation removes; those that are gone already do no harm."""
    return tuple(dict.fromkeys((*made, PROGRAM, PREVIOUS)))


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
