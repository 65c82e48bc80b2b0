"""Columns of the networking.k8s.io group's kinds (upstream: printers printIngress, printNetworkPolicy, ...)."""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.columns.ages import AGE, NAME, NONE
from minikube_py.api.columns.cells import at, text
from minikube_py.api.columns.core_v1 import shorten
from minikube_py.api.columns.workloads import format_selector, spec_of
from minikube_py.api.meta import annotations_of
from minikube_py.api.resource import Column

_CLASS_ANNOTATION = "kubernetes.io/ingress.class"


def _hosts(ingress: Mapping[str, Any], _: float) -> str:
    return shorten([rule["host"] for rule in spec_of(ingress).get("rules") or () if rule.get("host")], "*")


def _address(ingress: Mapping[str, Any], _: float) -> str:
    points = at(ingress, "status", "loadBalancer", "ingress") or ()
    return ",".join(str(point.get("ip") or point.get("hostname") or "") for point in points)


def _class(ingress: Mapping[str, Any], _: float) -> str:
    return str(spec_of(ingress).get("ingressClassName") or annotations_of(ingress).get(_CLASS_ANNOTATION) or NONE)


INGRESS_COLUMNS = (
    NAME,
    Column("Class", _class, description="Which controller makes it work."),
    Column("Hosts", _hosts, description="Hosts that requests are taken for."),
    Column("Address", _address, description="Where it is reached from outside."),
    Column("Ports", lambda o, _: "80, 443" if spec_of(o).get("tls") else "80", description="Ports that are served."),
    AGE,
)


def _parameters(ingress_class: Mapping[str, Any], _: float) -> str:
    parameters = spec_of(ingress_class).get("parameters")
    if not parameters:
        return NONE
    group = f".{parameters['apiGroup']}" if parameters.get("apiGroup") else ""
    return f"{parameters.get('kind')}{group}/{parameters.get('name')}"


INGRESS_CLASS_COLUMNS = (
    NAME,
    text("Controller", "spec.controller", "Who makes Ingresses of the class work."),
    Column("Parameters", _parameters, description="The object that has the controller's settings."),
    AGE,
)
NETWORK_POLICY_COLUMNS = (
    NAME,
    Column(
        "Pod-Selector",
        lambda obj, _: format_selector(spec_of(obj).get("podSelector")),
        description="Which pods the policy is about.",
    ),
    AGE,
)


def _parent(address: Mapping[str, Any], _: float) -> str:
    parent = spec_of(address).get("parentRef") or {}
    resource = f"{parent.get('resource')}.{parent['group']}" if parent.get("group") else str(parent.get("resource"))
    return "/".join(part for part in (resource, parent.get("namespace"), parent.get("name")) if part)


IP_ADDRESS_COLUMNS = (
    NAME,
    Column("ParentRef", _parent, description="What has the address."),
)
SERVICE_CIDR_COLUMNS = (
    NAME,
    Column(
        "CIDRs",
        lambda obj, _: ",".join(spec_of(obj).get("cidrs") or ()),
        description="From where cluster IPs are given.",
    ),
    AGE,
)
