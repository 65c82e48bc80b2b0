"""Which path inside its volume a container sees: `subPath`, and `subPathExpr` with the container's variables.

What is wrong with one is said in upstream's words, which do not tell a pod's author how the host looks. Upstream:
kubelet_pods.go makeMounts, container.ExpandContainerVolumeMounts.
"""

import re
from collections.abc import Mapping

from minikube_py.kubelet.container import VolumeMount
from minikube_py.kubelet.environment import expand
from minikube_py.kubelet.volumes import VolumeError

_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")


def sub_path_of(mount: VolumeMount, variables: Mapping[str, str]) -> str:
    """Return the path inside the volume; empty for the volume itself.

    Raises:
        VolumeError: a variable is missing or empty, or the path is absolute or leads upwards.
    """
    path = mount.sub_path
    if mount.sub_path_expr:
        named = {match.group(1) for match in _REFERENCE.finditer(mount.sub_path_expr)} - {None}
        missing = sorted(name for name in named if name is not None and not variables.get(name))
        if missing:
            raise VolumeError(f"missing value for {', '.join(missing)}")
        path = expand(mount.sub_path_expr, variables)
    if path.startswith("/"):
        raise VolumeError(f"error SubPath `{path}` must not be an absolute path")
    if ".." in path.split("/"):
        raise VolumeError(f"unable to provision SubPath `{path}`: must not contain '..'")
    return path
