"""THE table of resources: everything that this API server serves, one row each.

Routes, discovery, storage keys, printing, client methods and the test matrix derive from these rows. The rules and
columns of each row live in `api/rules/` and `api/columns/`, one module for each API group.
"""

from collections.abc import Mapping

from minikube_py.api.columns import apiextensions_v1, apps_v1, coordination_v1, core_v1, discovery_v1, pods
from minikube_py.api.custom import definitions
from minikube_py.api.resource import Resource, Rules, Subresource
from minikube_py.api.rules.apps import DEPLOYMENT_RULES, REPLICA_SET_RULES
from minikube_py.api.rules.coordination import LEASE_RULES
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
from minikube_py.api.rules.discovery import ENDPOINT_SLICE_RULES

NEUTRAL = Rules(
    set_defaults=lambda obj: None,
    prepare_create=lambda obj: None,
    prepare_update=lambda new, old: None,
    validate=lambda obj: (),
    validate_update=lambda new, old: (),
)
"""Rules for a resource that has none of its own."""

_STATUS_VERBS = ("get", "patch", "update")


def _status(kind: str) -> Subresource:
    return Subresource("status", kind, _STATUS_VERBS)


_SCALE = Subresource("scale", "Scale", _STATUS_VERBS, group="autoscaling", version="v1")

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
    subresources=(_status("Namespace"), Subresource("finalize", "Namespace", ("update",))),
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
    subresources=(_status("Node"),),
    field_selectors={
        "spec.unschedulable": lambda o: "true" if (o.get("spec") or {}).get("unschedulable") else "false"
    },
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
        _status("Pod"),
        Subresource("binding", "Binding", ("create",)),
        Subresource("log", "Pod", ("get",)),
        Subresource("exec", "PodExecOptions", ("create", "get")),
        Subresource("attach", "PodAttachOptions", ("create", "get")),
    ),
    has_generation=True,
    graceful_deletion=True,
    field_selectors={
        "spec.nodeName": lambda o: (o.get("spec") or {}).get("nodeName", ""),
        "spec.restartPolicy": lambda o: (o.get("spec") or {}).get("restartPolicy", ""),
        "spec.schedulerName": lambda o: (o.get("spec") or {}).get("schedulerName", ""),
        "spec.serviceAccountName": lambda o: (o.get("spec") or {}).get("serviceAccountName", ""),
        "spec.hostNetwork": lambda o: "true" if (o.get("spec") or {}).get("hostNetwork") else "false",
        "status.phase": lambda o: (o.get("status") or {}).get("phase", ""),
        "status.podIP": lambda o: (o.get("status") or {}).get("podIP", ""),
        "status.nominatedNodeName": lambda o: (o.get("status") or {}).get("nominatedNodeName", ""),
    },
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
    subresources=(_status("Service"),),
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
    field_selectors={"type": lambda o: o.get("type", "")},
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
        **{
            f"involvedObject.{field}": (lambda o, field=field: (o.get("involvedObject") or {}).get(field, ""))  # type: ignore[misc]
            for field in _EVENT_FIELDS
        },
        "reason": lambda o: o.get("reason", ""),
        "type": lambda o: o.get("type", ""),
        "source": lambda o: (o.get("source") or {}).get("component", ""),
        "reportingComponent": lambda o: o.get("reportingComponent", ""),
    },
)
ENDPOINT_SLICES = Resource(
    group="discovery.k8s.io",
    version="v1",
    kind="EndpointSlice",
    plural="endpointslices",
    singular="endpointslice",
    namespaced=True,
    rules=ENDPOINT_SLICE_RULES,
    columns=discovery_v1.ENDPOINT_SLICE_COLUMNS,
    has_generation=True,
)
LEASES = Resource(
    group="coordination.k8s.io",
    version="v1",
    kind="Lease",
    plural="leases",
    singular="lease",
    namespaced=True,
    rules=LEASE_RULES,
    columns=coordination_v1.LEASE_COLUMNS,
    durable=False,
    create_on_update=True,
)
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
    subresources=(_status("ReplicaSet"), _SCALE),
    has_generation=True,
    field_selectors={"status.replicas": lambda o: str((o.get("status") or {}).get("replicas", 0))},
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
    subresources=(_status("Deployment"), _SCALE),
    has_generation=True,
)
CUSTOM_RESOURCE_DEFINITIONS = Resource(
    group="apiextensions.k8s.io",
    version="v1",
    kind="CustomResourceDefinition",
    plural="customresourcedefinitions",
    singular="customresourcedefinition",
    namespaced=False,
    rules=definitions.CUSTOM_RESOURCE_DEFINITION_RULES,
    columns=apiextensions_v1.CUSTOM_RESOURCE_DEFINITION_COLUMNS,
    short_names=("crd", "crds"),
    categories=("api-extensions",),
    subresources=(_status("CustomResourceDefinition"),),
    has_generation=True,
    unconditional_update=False,
    finalizers_on_delete=(definitions.CLEANUP_FINALIZER,),
    validate_status=definitions.validate_status,
)

RESOURCES: tuple[Resource, ...] = (
    NAMESPACES,
    NODES,
    PODS,
    SERVICES,
    ENDPOINTS,
    CONFIGMAPS,
    SECRETS,
    SERVICE_ACCOUNTS,
    EVENTS,
    ENDPOINT_SLICES,
    LEASES,
    REPLICA_SETS,
    DEPLOYMENTS,
    CUSTOM_RESOURCE_DEFINITIONS,
)

_BY_PATH: Mapping[tuple[str, str, str], Resource] = {(r.group, r.version, r.plural): r for r in RESOURCES}
_BY_KIND: Mapping[tuple[str, str], Resource] = {(r.api_version, r.kind): r for r in RESOURCES}


def find_resource(group: str, version: str, plural: str) -> Resource | None:
    """Return the row that serves this path, or None."""
    return _BY_PATH.get((group, version, plural))


def find_kind(api_version: str, kind: str) -> Resource | None:
    """Return the row of an object's apiVersion and kind, or None."""
    return _BY_KIND.get((api_version, kind))
