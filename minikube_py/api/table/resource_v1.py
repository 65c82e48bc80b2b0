"""The rows of resource.k8s.io/v1: devices and claims on them."""

from minikube_py.api.columns.cluster_kinds import NAME_AND_AGE, RESOURCE_CLAIM_COLUMNS, RESOURCE_SLICE_COLUMNS
from minikube_py.api.resource import Resource
from minikube_py.api.table.parts import prepare_status_in, rules_in, select, status, status_rules_in

DEVICE_CLASSES = Resource(
    group="resource.k8s.io",
    version="v1",
    kind="DeviceClass",
    plural="deviceclasses",
    singular="deviceclass",
    namespaced=False,
    rules=rules_in("device_resources", "DEVICE_CLASS_RULES"),
    columns=NAME_AND_AGE,
    has_generation=True,
)
RESOURCE_CLAIMS = Resource(
    group="resource.k8s.io",
    version="v1",
    kind="ResourceClaim",
    plural="resourceclaims",
    singular="resourceclaim",
    namespaced=True,
    rules=rules_in("device_resources", "CLAIM_RULES"),
    columns=RESOURCE_CLAIM_COLUMNS,
    subresources=(status("ResourceClaim"),),
    status_alone=True,
    prepare_status=prepare_status_in("device_claim_status"),
    validate_status=status_rules_in("device_claim_status"),
)
RESOURCE_CLAIM_TEMPLATES = Resource(
    group="resource.k8s.io",
    version="v1",
    kind="ResourceClaimTemplate",
    plural="resourceclaimtemplates",
    singular="resourceclaimtemplate",
    namespaced=True,
    rules=rules_in("device_resources", "CLAIM_TEMPLATE_RULES"),
    columns=NAME_AND_AGE,
)
RESOURCE_SLICES = Resource(
    group="resource.k8s.io",
    version="v1",
    kind="ResourceSlice",
    plural="resourceslices",
    singular="resourceslice",
    namespaced=False,
    rules=rules_in("device_resources", "SLICE_RULES"),
    columns=RESOURCE_SLICE_COLUMNS,
    has_generation=True,
    field_selectors=select("spec.nodeName", "spec.driver"),
    field_refusal="field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: {}",
)

ROWS = (
    DEVICE_CLASSES,
    RESOURCE_CLAIMS,
    RESOURCE_CLAIM_TEMPLATES,
    RESOURCE_SLICES,
)
