"""The table of controllers: everything that runs in the controllers' one loop, one row each.

Adding a controller is one module with `observe`, `reconcile` and `spec`, and one row here.
"""

from typing import Any

from minikube_py.controllers import deployment, replicaset
from minikube_py.controllers.config import ControllersConfig
from minikube_py.controllers.spec import ControllerSpec


def controllers(config: ControllersConfig) -> tuple[ControllerSpec[Any], ...]:
    """Return all controllers with their settings."""
    return (
        deployment.spec(),
        replicaset.spec(),
    )
