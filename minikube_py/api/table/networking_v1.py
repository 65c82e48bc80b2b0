"""The rows of networking.k8s.io/v1: ways in, who may talk to whom, and cluster addresses."""

from minikube_py.api.columns import networking_v1
from minikube_py.api.resource import Resource
from minikube_py.api.table.parts import rules_in, status, status_rules_in, warnings_in

INGRESSES = Resource(
    group="networking.k8s.io",
    version="v1",
    kind="Ingress",
    plural="ingresses",
    singular="ingress",
    namespaced=True,
    rules=rules_in("networking", "INGRESS_RULES"),
    columns=networking_v1.INGRESS_COLUMNS,
    short_names=("ing",),
    subresources=(status("Ingress"),),
    has_generation=True,
    validate_status=status_rules_in("status_core", "validate_ingress"),
    warn=warnings_in("warnings", "warn_of_ingress"),
)
INGRESS_CLASSES = Resource(
    group="networking.k8s.io",
    version="v1",
    kind="IngressClass",
    plural="ingressclasses",
    singular="ingressclass",
    namespaced=False,
    rules=rules_in("networking", "INGRESS_CLASS_RULES"),
    columns=networking_v1.INGRESS_CLASS_COLUMNS,
    has_generation=True,
)
NETWORK_POLICIES = Resource(
    group="networking.k8s.io",
    version="v1",
    kind="NetworkPolicy",
    plural="networkpolicies",
    singular="networkpolicy",
    namespaced=True,
    rules=rules_in("network_policies", "POLICY_RULES"),
    columns=networking_v1.NETWORK_POLICY_COLUMNS,
    short_names=("netpol",),
    has_generation=True,
)
IP_ADDRESSES = Resource(
    group="networking.k8s.io",
    version="v1",
    kind="IPAddress",
    plural="ipaddresses",
    singular="ipaddress",
    namespaced=False,
    rules=rules_in("network_addresses", "ADDRESS_RULES"),
    columns=networking_v1.IP_ADDRESS_COLUMNS,
    short_names=("ip",),
)
SERVICE_CIDRS = Resource(
    group="networking.k8s.io",
    version="v1",
    kind="ServiceCIDR",
    plural="servicecidrs",
    singular="servicecidr",
    namespaced=False,
    rules=rules_in("network_addresses", "SERVICE_CIDR_RULES"),
    columns=networking_v1.SERVICE_CIDR_COLUMNS,
    subresources=(status("ServiceCIDR"),),
    status_alone=True,
)

ROWS = (
    INGRESSES,
    INGRESS_CLASSES,
    NETWORK_POLICIES,
    IP_ADDRESSES,
    SERVICE_CIDRS,
)
