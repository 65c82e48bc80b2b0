"""The rows of flowcontrol.apiserver.k8s.io/v1."""

from minikube_py.api.columns.cluster_kinds import FLOW_SCHEMA_COLUMNS, PRIORITY_LEVEL_COLUMNS
from minikube_py.api.resource import Resource
from minikube_py.api.table.parts import rules_in, status, status_rules_in

FLOW_SCHEMAS = Resource(
    group="flowcontrol.apiserver.k8s.io",
    version="v1",
    kind="FlowSchema",
    plural="flowschemas",
    singular="flowschema",
    namespaced=False,
    rules=rules_in("flowcontrol", "SCHEMA_RULES"),
    columns=FLOW_SCHEMA_COLUMNS,
    subresources=(status("FlowSchema"),),
    status_alone=True,
    has_generation=True,
    validate_status=status_rules_in("status_core", "validate_typed_conditions"),
)
PRIORITY_LEVELS = Resource(
    group="flowcontrol.apiserver.k8s.io",
    version="v1",
    kind="PriorityLevelConfiguration",
    plural="prioritylevelconfigurations",
    singular="prioritylevelconfiguration",
    namespaced=False,
    rules=rules_in("flowcontrol", "LEVEL_RULES"),
    columns=PRIORITY_LEVEL_COLUMNS,
    subresources=(status("PriorityLevelConfiguration"),),
    status_alone=True,
    has_generation=True,
    validate_status=status_rules_in("status_core", "validate_typed_conditions"),
)

ROWS = (
    FLOW_SCHEMAS,
    PRIORITY_LEVELS,
)
