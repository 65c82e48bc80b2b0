"""The rows of apps/v1: workloads, and the history of their templates."""

from minikube_py.api.columns import apps_v1
from minikube_py.api.resource import Resource
from minikube_py.api.rules.apps import DEPLOYMENT_RULES, REPLICA_SET_RULES
from minikube_py.api.rules.apps_sets import DAEMON_SET_RULES, REVISION_RULES, STATEFUL_SET_RULES
from minikube_py.api.table.parts import SCALE, select_number, status, status_rules_in, warnings_in

REPLICA_SETS = Resource(
    group="apps",
    version="v1",
    kind="ReplicaSet",
    plural="replicasets",
    singular="replicaset",
    namespaced=True,
    rules=REPLICA_SET_RULES,
    columns=apps_v1.REPLICA_SET_COLUMNS,
    short_names=("rs",),
    categories=("all",),
    subresources=(status("ReplicaSet"), SCALE),
    has_generation=True,
    field_selectors=select_number("status.replicas"),
    validate_status=status_rules_in("status_workloads", "validate_replica_set"),
    warn=warnings_in("pod_warnings", "warn_of_named_template"),
)
DEPLOYMENTS = Resource(
    group="apps",
    version="v1",
    kind="Deployment",
    plural="deployments",
    singular="deployment",
    namespaced=True,
    rules=DEPLOYMENT_RULES,
    columns=apps_v1.DEPLOYMENT_COLUMNS,
    short_names=("deploy",),
    categories=("all",),
    subresources=(status("Deployment"), SCALE),
    has_generation=True,
    validate_status=status_rules_in("status_workloads", "validate_deployment"),
    warn=warnings_in("pod_warnings", "warn_of_named_template"),
)
DAEMON_SETS = Resource(
    group="apps",
    version="v1",
    kind="DaemonSet",
    plural="daemonsets",
    singular="daemonset",
    namespaced=True,
    rules=DAEMON_SET_RULES,
    columns=apps_v1.DAEMON_SET_COLUMNS,
    short_names=("ds",),
    categories=("all",),
    subresources=(status("DaemonSet"),),
    has_generation=True,
    validate_status=status_rules_in("status_workloads", "validate_daemon_set"),
    warn=warnings_in("pod_warnings", "warn_of_template"),
)
STATEFUL_SETS = Resource(
    group="apps",
    version="v1",
    kind="StatefulSet",
    plural="statefulsets",
    singular="statefulset",
    namespaced=True,
    rules=STATEFUL_SET_RULES,
    columns=apps_v1.STATEFUL_SET_COLUMNS,
    short_names=("sts",),
    categories=("all",),
    subresources=(status("StatefulSet"), SCALE),
    has_generation=True,
    validate_status=status_rules_in("status_workloads", "validate_stateful_set"),
    warn=warnings_in("pod_warnings", "warn_of_template"),
)
CONTROLLER_REVISIONS = Resource(
    group="apps",
    version="v1",
    kind="ControllerRevision",
    plural="controllerrevisions",
    singular="controllerrevision",
    namespaced=True,
    rules=REVISION_RULES,
    columns=apps_v1.REVISION_COLUMNS,
)

ROWS = (
    REPLICA_SETS,
    DEPLOYMENTS,
    DAEMON_SETS,
    STATEFUL_SETS,
    CONTROLLER_REVISIONS,
)
