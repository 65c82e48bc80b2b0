"""The first objects of a cluster: namespaces, priorities, the service range, the Services of API server and DNS.

`first_objects` is what must be there at every start; what is there already stays as it is, except the endpoints of
default/kubernetes, which follow the advertise address. Upstream: controlplane (system namespaces, kubernetes service
reconciler) and kubeadm's DNS add-on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from types import MappingProxyType

from minikube_py.api.endpoint_slices import SERVICE_NAME_LABEL
from minikube_py.api.meta import Obj, name_of
from minikube_py.api.persistent_volumes import DEFAULT_CLASS, LOCAL_PATH_CLASS, LOCAL_PATH_PROVISIONER
from minikube_py.api.resource import Resource
from minikube_py.api.resources import (
    CONFIGMAPS,
    ENDPOINT_SLICES,
    ENDPOINTS,
    FLOW_SCHEMAS,
    NAMESPACES,
    PRIORITY_CLASSES,
    PRIORITY_LEVELS,
    SERVICE_CIDRS,
    SERVICES,
)
from minikube_py.api.rules.scheduling_classes import SYSTEM_CLASSES
from minikube_py.api.table.storage_v1 import STORAGE_CLASSES
from minikube_py.apiserver.config import ApiServerConfig
from minikube_py.apiserver.flow_objects import MANDATORY, flow_schemas, priority_levels
from minikube_py.apiserver.request_headers import AUTHENTICATION_CONFIG

SYSTEM_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
_HTTPS_PORT = 443
_DNS_PORT = 53


@dataclass(frozen=True, slots=True)
class FirstObject:
    """One object that must be there; `follow`: it is updated when it differs."""

    resource: Resource
    obj: Obj
    follow: bool = False


def kubernetes_service_ip(config: ApiServerConfig) -> str:
    """Return the cluster IP of default/kubernetes: the first address of the service range."""
    return str(IPv4Network(config.service_cluster_ip_range)[1])


def first_objects(
    config: ApiServerConfig, authentication: Mapping[str, str] = MappingProxyType({})
) -> tuple[FirstObject, ...]:
    """Return the objects in the order in which they must be created.

    `authentication` is what servers of APIServices are told about whom to believe (request_headers).
    """
    namespaces = tuple(FirstObject(NAMESPACES, _namespace(name)) for name in SYSTEM_NAMESPACES)
    kubernetes = (
        FirstObject(SERVICES, _kubernetes_service(config)),
        FirstObject(ENDPOINTS, _kubernetes_endpoints(config), follow=True),
        FirstObject(ENDPOINT_SLICES, _kubernetes_slice(config), follow=True),
    )
    dns = (FirstObject(SERVICES, _dns_service(config)),) if config.cluster_dns else ()
    priorities = tuple(FirstObject(PRIORITY_CLASSES, _priority_class(*item)) for item in SYSTEM_CLASSES.items())
    storage = (FirstObject(STORAGE_CLASSES, _local_path_class()),) if config.local_path_class else ()
    cidrs = FirstObject(SERVICE_CIDRS, _service_cidr(config))
    trust = (FirstObject(CONFIGMAPS, _authentication(authentication), follow=True),) if authentication else ()
    return (*namespaces, *trust, *priorities, cidrs, *kubernetes, *dns, *storage)


def _local_path_class() -> Obj:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": LOCAL_PATH_CLASS, "annotations": {DEFAULT_CLASS: "true"}},
        "provisioner": LOCAL_PATH_PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def _authentication(data: Mapping[str, str]) -> Obj:
    meta = {"name": AUTHENTICATION_CONFIG, "namespace": "kube-system"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": dict(data)}


def flow_objects() -> tuple[FirstObject, ...]:
    """Return the flow control objects: none needs another one, so they can be created together."""
    levels = (FirstObject(PRIORITY_LEVELS, obj, name_of(obj) in MANDATORY) for obj in priority_levels())
    schemas = (FirstObject(FLOW_SCHEMAS, obj, name_of(obj) in MANDATORY) for obj in flow_schemas())
    return (*levels, *schemas)


def _priority_class(name: str, value: int) -> Obj:
    what = "node critical" if "node" in name else "cluster critical"
    moved = "" if "node" in name else ", but can be moved to another node if necessary"
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name},
        "value": value,
        "description": f"For pods that are {what}: they must run{moved}.",
    }


def _service_cidr(config: ApiServerConfig) -> Obj:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "ServiceCIDR",
        "metadata": {"name": "kubernetes"},
        "spec": {"cidrs": [config.service_cluster_ip_range]},
    }


def _namespace(name: str) -> Obj:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _kubernetes_service(config: ApiServerConfig) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "type": "ClusterIP",
            "clusterIP": kubernetes_service_ip(config),
            "ports": [
                {"name": "https", "protocol": "TCP", "port": _HTTPS_PORT, "targetPort": config.reachable_port},
            ],
        },
    }


def _kubernetes_endpoints(config: ApiServerConfig) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"},
        },
        "subsets": [
            {
                "addresses": [{"ip": config.advertise_address}],
                "ports": [{"name": "https", "port": config.reachable_port, "protocol": "TCP"}],
            }
        ],
    }


def _kubernetes_slice(config: ApiServerConfig) -> Obj:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "labels": {SERVICE_NAME_LABEL: "kubernetes"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [config.advertise_address], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": config.reachable_port, "protocol": "TCP"}],
    }


def _dns_service(config: ApiServerConfig) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "kube-dns",
            "namespace": "kube-system",
            "labels": {
                "k8s-app": "kube-dns",
                "kubernetes.io/cluster-service": "true",
                "kubernetes.io/name": "CoreDNS",
            },
        },
        "spec": {
            "type": "ClusterIP",
            "clusterIP": config.cluster_dns,
            "ports": [
                {"name": "dns", "protocol": "UDP", "port": _DNS_PORT, "targetPort": _DNS_PORT},
                {"name": "dns-tcp", "protocol": "TCP", "port": _DNS_PORT, "targetPort": _DNS_PORT},
            ],
        },
    }
