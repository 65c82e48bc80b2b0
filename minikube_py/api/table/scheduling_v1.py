"""The rows of scheduling.k8s.io/v1 and node.k8s.io/v1: classes that pods name."""

from minikube_py.api.columns import cluster_kinds
from minikube_py.api.resource import Resource
from minikube_py.api.table.parts import rules_in

PRIORITY_CLASSES = Resource(
    group="scheduling.k8s.io",
    version="v1",
    kind="PriorityClass",
    plural="priorityclasses",
    singular="priorityclass",
    namespaced=False,
    rules=rules_in("scheduling_classes", "PRIORITY_RULES"),
    columns=cluster_kinds.PRIORITY_CLASS_COLUMNS,
    short_names=("pc",),
    has_generation=True,
)
RUNTIME_CLASSES = Resource(
    group="node.k8s.io",
    version="v1",
    kind="RuntimeClass",
    plural="runtimeclasses",
    singular="runtimeclass",
    namespaced=False,
    rules=rules_in("scheduling_classes", "RUNTIME_RULES"),
    columns=cluster_kinds.RUNTIME_CLASS_COLUMNS,
)

ROWS = (
    PRIORITY_CLASSES,
    RUNTIME_CLASSES,
)
