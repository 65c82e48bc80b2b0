"""More rows of core/v1: storage, limits, workloads, and what is only asked (bindings, component statuses)."""

from minikube_py.api.columns import core_resources_v1, core_storage_v1
from minikube_py.api.columns.cells import DEFAULT_COLUMNS
from minikube_py.api.resource import Resource
from minikube_py.api.rules.core_storage import CLAIM_RULES, VOLUME_RULES, prepare_volume_status
from minikube_py.api.table.parts import NEUTRAL, SCALE, rules_in, select_number, status, status_rules_in, warnings_in

BINDINGS = Resource(
    group="",
    version="v1",
    kind="Binding",
    plural="bindings",
    singular="binding",
    namespaced=True,
    rules=NEUTRAL,
    columns=DEFAULT_COLUMNS,
    verbs=("create",),
    computed=True,
)
COMPONENT_STATUSES = Resource(
    group="",
    version="v1",
    kind="ComponentStatus",
    plural="componentstatuses",
    singular="componentstatus",
    namespaced=False,
    rules=NEUTRAL,
    columns=core_resources_v1.COMPONENT_STATUS_COLUMNS,
    deprecation="v1 ComponentStatus is deprecated in v1.19+",
    short_names=("cs",),
    verbs=("get", "list"),
    computed=True,
)
LIMIT_RANGES = Resource(
    group="",
    version="v1",
    kind="LimitRange",
    plural="limitranges",
    singular="limitrange",
    namespaced=True,
    rules=rules_in("core_limits", "LIMIT_RANGE_RULES"),
    columns=DEFAULT_COLUMNS,
    short_names=("limits",),
)
RESOURCE_QUOTAS = Resource(
    group="",
    version="v1",
    kind="ResourceQuota",
    plural="resourcequotas",
    singular="resourcequota",
    namespaced=True,
    rules=rules_in("core_limits", "QUOTA_RULES"),
    columns=core_resources_v1.RESOURCE_QUOTA_COLUMNS,
    short_names=("quota",),
    subresources=(status("ResourceQuota"),),
    validate_status=status_rules_in("status_core", "validate_quota"),
)
PERSISTENT_VOLUMES = Resource(
    group="",
    version="v1",
    kind="PersistentVolume",
    plural="persistentvolumes",
    singular="persistentvolume",
    namespaced=False,
    rules=VOLUME_RULES,
    columns=core_storage_v1.PERSISTENT_VOLUME_COLUMNS,
    short_names=("pv",),
    subresources=(status("PersistentVolume"),),
    prepare_status=prepare_volume_status,
    warn=warnings_in("warnings", "warn_of_volume"),
)
PERSISTENT_VOLUME_CLAIMS = Resource(
    group="",
    version="v1",
    kind="PersistentVolumeClaim",
    plural="persistentvolumeclaims",
    singular="persistentvolumeclaim",
    namespaced=True,
    rules=CLAIM_RULES,
    columns=core_storage_v1.PERSISTENT_VOLUME_CLAIM_COLUMNS,
    short_names=("pvc",),
    subresources=(status("PersistentVolumeClaim"),),
    validate_status=status_rules_in("status_core", "validate_claim"),
    warn=warnings_in("warnings", "warn_of_claim"),
)
POD_TEMPLATES = Resource(
    group="",
    version="v1",
    kind="PodTemplate",
    plural="podtemplates",
    singular="podtemplate",
    namespaced=True,
    rules=rules_in("core_workloads", "POD_TEMPLATE_RULES"),
    columns=core_resources_v1.POD_TEMPLATE_COLUMNS,
    has_generation=True,
    warn=warnings_in("pod_warnings", "warn_of_pod_template"),
)
REPLICATION_CONTROLLERS = Resource(
    group="",
    version="v1",
    kind="ReplicationController",
    plural="replicationcontrollers",
    singular="replicationcontroller",
    namespaced=True,
    rules=rules_in("core_workloads", "REPLICATION_CONTROLLER_RULES"),
    columns=core_resources_v1.REPLICATION_CONTROLLER_COLUMNS,
    short_names=("rc",),
    categories=("all",),
    subresources=(status("ReplicationController"), SCALE),
    has_generation=True,
    field_selectors=select_number("status.replicas"),
    validate_status=status_rules_in("status_workloads", "validate_replica_set"),
    warn=warnings_in("pod_warnings", "warn_of_named_template"),
)

ROWS = (
    BINDINGS,
    COMPONENT_STATUSES,
    LIMIT_RANGES,
    RESOURCE_QUOTAS,
    PERSISTENT_VOLUMES,
    PERSISTENT_VOLUME_CLAIMS,
    POD_TEMPLATES,
    REPLICATION_CONTROLLERS,
)
