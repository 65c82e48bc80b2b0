"""The rows of core/v1: pods, what they run on, and what is around them (core_resources_v1 has the rest)."""

from minikube_py.api.columns import core_v1, pods
from minikube_py.api.resource import Resource, Subresource
from minikube_py.api.rules.core_cluster import NAMESPACE_RULES, NODE_RULES
from minikube_py.api.rules.core_data import (
    CONFIG_MAP_RULES,
    ENDPOINTS_RULES,
    EVENT_RULES,
    SECRET_RULES,
    SERVICE_ACCOUNT_RULES,
)
from minikube_py.api.rules.core_pod import POD_RULES
from minikube_py.api.rules.core_service import SERVICE_RULES
from minikube_py.api.table.parts import CHANGE_VERBS, proxy, select, select_flag, status, status_rules_in, warnings_in

NAMESPACES = Resource(
    group="",
    version="v1",
    kind="Namespace",
    plural="namespaces",
    singular="namespace",
    namespaced=False,
    rules=NAMESPACE_RULES,
    columns=core_v1.NAMESPACE_COLUMNS,
    short_names=("ns",),
    verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    subresources=(status("Namespace"), Subresource("finalize", "Namespace", ("update",))),
    field_selectors=select("status.phase"),
    validate_status=status_rules_in("status_core", "validate_namespace"),
)
NODES = Resource(
    group="",
    version="v1",
    kind="Node",
    plural="nodes",
    singular="node",
    namespaced=False,
    rules=NODE_RULES,
    columns=core_v1.NODE_COLUMNS,
    short_names=("no",),
    subresources=(status("Node"), proxy("NodeProxyOptions")),
    field_selectors=select_flag("spec.unschedulable"),
    validate_status=status_rules_in("status_core", "validate_node"),
)
PODS = Resource(
    group="",
    version="v1",
    kind="Pod",
    plural="pods",
    singular="pod",
    namespaced=True,
    rules=POD_RULES,
    columns=pods.POD_COLUMNS,
    row_conditions=pods.pod_row_conditions,
    short_names=("po",),
    categories=("all",),
    subresources=(
        status("Pod"),
        Subresource("binding", "Binding", ("create",)),
        Subresource("eviction", "Eviction", ("create",), group="policy", version="v1"),
        Subresource("ephemeralcontainers", "Pod", CHANGE_VERBS),
        Subresource("resize", "Pod", CHANGE_VERBS),
        Subresource("log", "Pod", ("get",)),
        Subresource("exec", "PodExecOptions", ("create", "get")),
        Subresource("attach", "PodAttachOptions", ("create", "get")),
        Subresource("portforward", "PodPortForwardOptions", ("create", "get")),
        proxy("PodProxyOptions"),
    ),
    has_generation=True,
    graceful_deletion=True,
    field_selectors={
        **select(
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "status.phase",
            "status.nominatedNodeName",
        ),
        **select_flag("spec.hostNetwork"),
        "spec.host": select("spec.nodeName")["spec.nodeName"],  # what the oldest clients of v1 call it
        "status.podIP": pods.first_ip,
        "status.podIPs": lambda pod: "",  # upstream takes the selector and has no value for it
    },
    validate_status=status_rules_in("status_core", "validate_pod"),
    warn=warnings_in("pod_warnings", "warn_of_pod"),
)
SERVICES = Resource(
    group="",
    version="v1",
    kind="Service",
    plural="services",
    singular="service",
    namespaced=True,
    rules=SERVICE_RULES,
    columns=core_v1.SERVICE_COLUMNS,
    short_names=("svc",),
    categories=("all",),
    subresources=(status("Service"), proxy("ServiceProxyOptions")),
    field_selectors=select("spec.clusterIP", "spec.type"),
    validate_status=status_rules_in("status_core", "validate_service"),
    warn=warnings_in("warnings", "warn_of_service"),
)
ENDPOINTS = Resource(
    group="",
    version="v1",
    kind="Endpoints",
    plural="endpoints",
    singular="endpoints",
    namespaced=True,
    rules=ENDPOINTS_RULES,
    columns=core_v1.ENDPOINTS_COLUMNS,
    short_names=("ep",),
    create_on_update=True,
    deprecation="v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
)
CONFIGMAPS = Resource(
    group="",
    version="v1",
    kind="ConfigMap",
    plural="configmaps",
    singular="configmap",
    namespaced=True,
    rules=CONFIG_MAP_RULES,
    columns=core_v1.CONFIG_MAP_COLUMNS,
    short_names=("cm",),
)
SECRETS = Resource(
    group="",
    version="v1",
    kind="Secret",
    plural="secrets",
    singular="secret",
    namespaced=True,
    rules=SECRET_RULES,
    columns=core_v1.SECRET_COLUMNS,
    field_selectors=select("type"),
)
SERVICE_ACCOUNTS = Resource(
    group="",
    version="v1",
    kind="ServiceAccount",
    plural="serviceaccounts",
    singular="serviceaccount",
    namespaced=True,
    rules=SERVICE_ACCOUNT_RULES,
    columns=core_v1.SERVICE_ACCOUNT_COLUMNS,
    short_names=("sa",),
    subresources=(Subresource("token", "TokenRequest", ("create",), group="authentication.k8s.io", version="v1"),),
    warn=warnings_in("warnings", "warn_of_service_account"),
)
_EVENT_FIELDS = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
EVENTS = Resource(
    group="",
    version="v1",
    kind="Event",
    plural="events",
    singular="event",
    namespaced=True,
    rules=EVENT_RULES,
    columns=core_v1.EVENT_COLUMNS,
    short_names=("ev",),
    durable=False,
    create_on_update=True,
    field_selectors={
        **select(*(f"involvedObject.{field}" for field in _EVENT_FIELDS)),
        **select("reason", "type", "reportingComponent"),
        "source": lambda obj: (obj.get("source") or {}).get("component") or obj.get("reportingComponent") or "",
    },
)

ROWS = (NAMESPACES, NODES, PODS, SERVICES, ENDPOINTS, CONFIGMAPS, SECRETS, SERVICE_ACCOUNTS, EVENTS)
