"""Columns of the coordination.k8s.io group's kinds (upstream: printers/internalversion printLease)."""

from minikube_py.api.columns.ages import AGE, NAME
from minikube_py.api.columns.workloads import spec_of
from minikube_py.api.resource import Column

LEASE_COLUMNS = (
    NAME,
    Column("Holder", lambda obj, _: spec_of(obj).get("holderIdentity") or "", description="Who holds the lease now."),
    AGE,
)
