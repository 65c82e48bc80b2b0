"""THE table of resources: everything that this API server serves, one row each.

Routes, discovery, storage keys, printing, client methods and the test matrix derive from these rows. They stand in
`api/table/`, one module for each API group; their rules and columns in `api/rules/` and `api/columns/`.
"""

from collections.abc import Mapping

from minikube_py.api.resource import Resource
from minikube_py.api.table import (
    admissionregistration_v1,
    apiextensions_v1,
    apiregistration_v1,
    apps_v1,
    autoscaling,
    batch_v1,
    certificates_v1,
    coordination_v1,
    core_resources_v1,
    core_v1,
    discovery_v1,
    events_v1,
    flowcontrol_v1,
    metrics_v1beta1,
    networking_v1,
    policy_v1,
    rbac_v1,
    resource_v1,
    reviews,
    scheduling_v1,
    storage_v1,
)

NAMESPACES = core_v1.NAMESPACES
NODES = core_v1.NODES
PODS = core_v1.PODS
SERVICES = core_v1.SERVICES
ENDPOINTS = core_v1.ENDPOINTS
CONFIGMAPS = core_v1.CONFIGMAPS
SECRETS = core_v1.SECRETS
SERVICE_ACCOUNTS = core_v1.SERVICE_ACCOUNTS
EVENTS = core_v1.EVENTS
PERSISTENT_VOLUMES = core_resources_v1.PERSISTENT_VOLUMES
PERSISTENT_VOLUME_CLAIMS = core_resources_v1.PERSISTENT_VOLUME_CLAIMS
ENDPOINT_SLICES = discovery_v1.ENDPOINT_SLICES
LEASES = coordination_v1.LEASES
REPLICA_SETS = apps_v1.REPLICA_SETS
DEPLOYMENTS = apps_v1.DEPLOYMENTS
STATEFUL_SETS = apps_v1.STATEFUL_SETS
REPLICATION_CONTROLLERS = core_resources_v1.REPLICATION_CONTROLLERS
PRIORITY_CLASSES = scheduling_v1.PRIORITY_CLASSES
RUNTIME_CLASSES = scheduling_v1.RUNTIME_CLASSES
SERVICE_CIDRS = networking_v1.SERVICE_CIDRS
IP_ADDRESSES = networking_v1.IP_ADDRESSES
DISRUPTION_BUDGETS = policy_v1.DISRUPTION_BUDGETS
API_SERVICES = apiregistration_v1.API_SERVICES
SIGNING_REQUESTS = certificates_v1.SIGNING_REQUESTS
FLOW_SCHEMAS = flowcontrol_v1.FLOW_SCHEMAS
PRIORITY_LEVELS = flowcontrol_v1.PRIORITY_LEVELS
CUSTOM_RESOURCE_DEFINITIONS = apiextensions_v1.CUSTOM_RESOURCE_DEFINITIONS

RESOURCES: tuple[Resource, ...] = (
    *core_v1.ROWS,
    *core_resources_v1.ROWS,
    *apiregistration_v1.ROWS,
    *apps_v1.ROWS,
    *events_v1.ROWS,
    *reviews.ROWS,
    *autoscaling.ROWS,
    *batch_v1.ROWS,
    *certificates_v1.ROWS,
    *networking_v1.ROWS,
    *policy_v1.ROWS,
    *rbac_v1.ROWS,
    *storage_v1.ROWS,
    *admissionregistration_v1.ROWS,
    *apiextensions_v1.ROWS,
    *scheduling_v1.ROWS,
    *coordination_v1.ROWS,
    *discovery_v1.ROWS,
    *flowcontrol_v1.ROWS,
    *resource_v1.ROWS,
    *metrics_v1beta1.ROWS,
)
"""All rows; of a kind with several versions the preferred one comes first."""


_BY_PATH: Mapping[tuple[str, str, str], Resource] = {(r.group, r.version, r.plural): r for r in RESOURCES}
_BY_KIND: Mapping[tuple[str, str], Resource] = {(r.api_version, r.kind): r for r in RESOURCES}


def find_resource(group: str, version: str, plural: str) -> Resource | None:
    """Return the row that serves this path, or None."""
    return _BY_PATH.get((group, version, plural))


def find_kind(api_version: str, kind: str) -> Resource | None:
    """Return the row of an object's apiVersion and kind, or None."""
    return _BY_KIND.get((api_version, kind))
