"""The row of coordination.k8s.io/v1."""

from minikube_py.api.columns.coordination_v1 import LEASE_COLUMNS
from minikube_py.api.resource import Resource
from minikube_py.api.rules.coordination import LEASE_RULES

LEASES = Resource(
    group="coordination.k8s.io",
    version="v1",
    kind="Lease",
    plural="leases",
    singular="lease",
    namespaced=True,
    rules=LEASE_RULES,
    columns=LEASE_COLUMNS,
    durable=False,
    create_on_update=True,
)

ROWS = (LEASES,)
