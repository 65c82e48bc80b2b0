"""The rows of metrics.k8s.io/v1beta1: what nodes and pods use now; made from what the nodes' kubelets measure."""

from minikube_py.api.columns.metrics_v1beta1 import NODE_METRICS_COLUMNS, POD_METRICS_COLUMNS
from minikube_py.api.resource import Resource
from minikube_py.api.table.parts import NEUTRAL

NODE_METRICS = Resource(
    group="metrics.k8s.io",
    version="v1beta1",
    kind="NodeMetrics",
    plural="nodes",
    singular="",
    namespaced=False,
    rules=NEUTRAL,
    columns=NODE_METRICS_COLUMNS,
    verbs=("get", "list"),
    computed=True,
)
POD_METRICS = Resource(
    group="metrics.k8s.io",
    version="v1beta1",
    kind="PodMetrics",
    plural="pods",
    singular="",
    namespaced=True,
    rules=NEUTRAL,
    columns=POD_METRICS_COLUMNS,
    verbs=("get", "list"),
    computed=True,
)

ROWS = (NODE_METRICS, POD_METRICS)
