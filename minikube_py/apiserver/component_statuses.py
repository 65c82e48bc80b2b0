"""ComponentStatuses: the readiness checks of this server, in the form of a kind that upstream has long given up.

Everything runs in one process here, so what upstream asks the scheduler, the controllers and etcd over HTTP is what
the checks of /readyz know: each check is one component.

Upstream: registry/core/componentstatus.
"""

from collections.abc import Mapping, Sequence

from minikube_py.api.meta import Obj
from minikube_py.apiserver.health import Check


def component_status(name: str, check: Check) -> Obj:
    """Return one component's status; the check is asked now."""
    problem = check()
    condition: Obj = {"type": "Healthy", "status": "False" if problem else "True"}
    condition |= {"message": "", "error": problem} if problem else {"message": "ok"}
    return {
        "apiVersion": "v1",
        "kind": "ComponentStatus",
        "metadata": {"name": name},
        "conditions": [condition],
    }


def component_statuses(checks: Mapping[str, Check]) -> Sequence[Obj]:
    """Return the status of every component, sorted by name."""
    return [component_status(name, check) for name, check in sorted(checks.items())]
