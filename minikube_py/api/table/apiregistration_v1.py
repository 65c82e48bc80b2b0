"""The row of apiregistration.k8s.io/v1."""

from minikube_py.api.columns.cluster_kinds import API_SERVICE_COLUMNS
from minikube_py.api.resource import Resource
from minikube_py.api.table.parts import rules_in, status, status_rules_in

API_SERVICES = Resource(
    group="apiregistration.k8s.io",
    version="v1",
    kind="APIService",
    plural="apiservices",
    singular="apiservice",
    namespaced=False,
    rules=rules_in("apiregistration", "SERVICE_RULES"),
    columns=API_SERVICE_COLUMNS,
    categories=("api-extensions",),
    subresources=(status("APIService"),),
    status_alone=True,
    validate_status=status_rules_in("apiregistration"),
)

ROWS = (API_SERVICES,)
