"""NFS exports, mounted by mount(8): it knows the protocol's versions and asks the server.

A server that does not answer must hang nobody: the program is killed at its deadline, and nothing here looks at the
mount point itself, only at the table of mounts. Upstream: volume/nfs.
"""

from collections.abc import Sequence

from minikube_py.kit.io.process import ProcessError, run_program
from minikube_py.kubelet.pod_volumes import NfsVolume
from minikube_py.kubelet.volumes import VolumeError

MOUNT_TIMEOUT_S = 120.0


def mount_arguments(volume: NfsVolume, path: str, options: Sequence[str]) -> list[str]:
    """Return the arguments of mount(8); a server's IPv6 address gets its brackets."""
    host = f"[{volume.server}]" if ":" in volume.server and not volume.server.startswith("[") else volume.server
    wanted = [*options, *(["ro"] if volume.read_only else [])]
    return ["-t", "nfs", *(["-o", ",".join(wanted)] if wanted else []), f"{host}:{volume.path}", path]


async def mount_nfs(volume: NfsVolume, path: str, options: Sequence[str]) -> None:
    """Mount an export at a directory that is there.

    Raises:
        VolumeError: it could not be mounted; the message is upstream's.
    """
    arguments = mount_arguments(volume, path, options)
    try:
        done = await run_program(["mount", *arguments], timeout_s=MOUNT_TIMEOUT_S)
    except ProcessError as error:
        raise VolumeError(f"mount failed: {error}") from error
    if done.exit_code:
        raise VolumeError(
            f"mount failed: exit status {done.exit_code}\nMounting command: mount\n"
            f"Mounting arguments: {' '.join(arguments)}\nOutput: {(done.stderr or done.stdout).strip()}\n"
        )
