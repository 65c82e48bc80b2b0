"""The row of discovery.k8s.io/v1."""

from minikube_py.api.columns.discovery_v1 import ENDPOINT_SLICE_COLUMNS
from minikube_py.api.resource import Resource
from minikube_py.api.rules.discovery import ENDPOINT_SLICE_RULES

ENDPOINT_SLICES = Resource(
    group="discovery.k8s.io",
    version="v1",
    kind="EndpointSlice",
    plural="endpointslices",
    singular="endpointslice",
    namespaced=True,
    rules=ENDPOINT_SLICE_RULES,
    columns=ENDPOINT_SLICE_COLUMNS,
    has_generation=True,
)

ROWS = (ENDPOINT_SLICES,)
