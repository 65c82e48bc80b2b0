"""Which of the engine's runtimes a pod's RuntimeClass means (upstream: kubelet/runtimeclass).

A handler's name is the name of a runtime in the engine's configuration (`docker info`: Runtimes). One that the engine
does not know is refused by the engine when the sandbox is made.
"""

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import RUNTIME_CLASSES
from minikube_py.client.interface import Informers
from minikube_py.kubelet.cri import ContainerRuntimeError, RuntimeErrorKind
from minikube_py.kubelet.pod import Pod


class RuntimeHandlers:
    """One for the kubelet; follows all RuntimeClasses (a cluster has a handful)."""

    def __init__(self, informers: Informers) -> None:
        self._classes = informers.informer(RUNTIME_CLASSES)

    async def wait_synced(self) -> None:
        """Wait until the classes are known."""
        await self._classes.wait_synced()

    def handler(self, pod: Pod) -> str:
        """Return the runtime that a pod wants, empty for the engine's default.

        Raises:
            ContainerRuntimeError: NOT_FOUND, its class is gone.
        """
        name = pod.runtime_class_name
        if not name:
            return ""
        found = self._classes.get(ObjectKey("", name))
        if found is None:
            words = f'runtimeclass.node.k8s.io "{name}" not found'
            raise ContainerRuntimeError(RuntimeErrorKind.NOT_FOUND, f'failed to get RuntimeClass "{name}": {words}')
        return str(found.get("handler") or "")
