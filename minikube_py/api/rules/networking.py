"""Ingresses and IngressClasses: which requests from outside go to which Service.

Upstream: pkg/apis/networking/validation, registry/networking/{ingress,ingressclass} strategy.go.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj
from minikube_py.api.names import (
    dns_1035_label_faults,
    dns_label_faults,
    dns_subdomain_faults,
    parse_ip,
    port_name_faults,
    port_number_faults,
    wildcard_subdomain_faults,
)
from minikube_py.api.rules.faults import (
    Faults,
    all_invalid,
    check_immutable,
    forbidden,
    indexed,
    invalid,
    items,
    part,
    required,
    unsupported,
)
from minikube_py.api.rules.rule_sets import make_rules, start_with

PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
CONTROLLER_LENGTH_MAX = 250
_NO_SERVICE = "cannot set both resource and service backends"


def check_ingress(ingress: Mapping[str, Any]) -> Faults:
    """Yield the faults of an Ingress."""
    spec = part(ingress, "spec")
    rules, backend = items(spec, "rules"), spec.get("defaultBackend")
    if not rules and backend is None:
        yield invalid("spec", [], "either `defaultBackend` or `rules` must be specified")
    if backend is not None:
        yield from _check_backend(backend, "spec.defaultBackend")
    for path, rule in indexed(spec, "rules", "spec"):
        yield from _check_rule(rule, path)
    for path, tls in indexed(spec, "tls", "spec"):
        for here, host in indexed(tls, "hosts", path):
            yield from all_invalid(here, host, _host_faults(host))
        if tls.get("secretName"):
            yield from all_invalid(f"{path}.secretName", tls["secretName"], dns_subdomain_faults(tls["secretName"]))
    name = spec.get("ingressClassName")
    if name is not None:
        yield from all_invalid("spec.ingressClassName", name, dns_subdomain_faults(name))


def _host_faults(host: str) -> tuple[str, ...]:
    return wildcard_subdomain_faults(host) if "*" in host else dns_subdomain_faults(host)


def _check_rule(rule: Mapping[str, Any], path: str) -> Faults:
    host = rule.get("host") or ""
    if host:
        if parse_ip(host) is not None:
            yield invalid(f"{path}.host", host, "must be a DNS name, not an IP address")
        else:
            yield from all_invalid(f"{path}.host", host, _host_faults(host))
    http = rule.get("http")
    if http is None:
        return
    if not items(http, "paths"):
        yield required(f"{path}.http.paths")
    for here, entry in indexed(http, "paths", f"{path}.http"):
        yield from _check_path(entry, here)


def _check_path(entry: Mapping[str, Any], path: str) -> Faults:
    kind, text = entry.get("pathType"), entry.get("path") or ""
    if kind is None:
        yield required(f"{path}.pathType", "pathType must be specified")
    elif kind not in PATH_TYPES:
        yield unsupported(f"{path}.pathType", kind, PATH_TYPES)
    elif kind == "ImplementationSpecific":
        if text and not text.startswith("/"):
            yield invalid(f"{path}.path", text, "must be an absolute path")
    elif not text.startswith("/"):
        yield invalid(f"{path}.path", text, "must be an absolute path")
    else:
        for bad in ("//", "/./", "/../", "%2f", "%2F"):
            if bad in text:
                yield invalid(f"{path}.path", text, f"must not contain '{bad}'")
        for bad in ("/..", "/."):
            if text.endswith(bad):
                yield invalid(f"{path}.path", text, f"cannot end with '{bad}'")
    yield from _check_backend(part(entry, "backend"), f"{path}.backend")


def _check_backend(backend: Mapping[str, Any], path: str) -> Faults:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        yield invalid(path, "", _NO_SERVICE)
    elif resource is not None:
        for field in ("kind", "name"):
            if not resource.get(field):
                yield required(f"{path}.resource.{field}")
    elif service is not None:
        yield from _check_service(service, path)
    else:
        yield required(path, "port name or number is required" if backend else "")


def _check_service(service: Mapping[str, Any], path: str) -> Faults:
    name, port = service.get("name") or "", part(service, "port")
    if not name:
        yield required(f"{path}.service.name")
    else:
        yield from all_invalid(f"{path}.service.name", name, dns_1035_label_faults(name))
    if port.get("name") and port.get("number"):
        yield invalid(path, "", "cannot set both port name & port number")
    elif port.get("name"):
        yield from all_invalid(f"{path}.service.port.name", port["name"], port_name_faults(port["name"]))
    elif port.get("number"):
        yield from all_invalid(f"{path}.service.port.number", port["number"], port_number_faults(port["number"]))
    else:
        yield required(path, "port name or number is required")


def check_ingress_class(ingress_class: Mapping[str, Any]) -> Faults:
    """Yield the faults of an IngressClass."""
    spec = part(ingress_class, "spec")
    controller = spec.get("controller") or ""
    if not controller:
        yield required("spec.controller")
    elif len(controller) > CONTROLLER_LENGTH_MAX:
        yield invalid("spec.controller", controller, f"must be no more than {CONTROLLER_LENGTH_MAX} bytes")
    else:
        domain, slash, _ = controller.partition("/")
        if not slash or dns_subdomain_faults(domain):
            detail = 'must be a domain-prefixed path (such as "acme.io/foo")'
            yield invalid("spec.controller", controller, detail)
    parameters = spec.get("parameters")
    if parameters is not None:
        yield from _check_parameters(parameters, "spec.parameters")


def _check_parameters(parameters: Mapping[str, Any], path: str) -> Faults:
    for field in ("kind", "name"):
        if not parameters.get(field):
            yield required(f"{path}.{field}", f"{field} is required")
    scope, namespace = parameters.get("scope"), parameters.get("namespace")
    if scope is None:
        yield required(f"{path}.scope")
    elif scope not in ("Cluster", "Namespace"):
        yield unsupported(f"{path}.scope", scope, ("Cluster", "Namespace"))
    elif scope == "Namespace" and not namespace:
        yield required(f"{path}.namespace", "`parameters.scope` is set to 'Namespace'")
    elif scope == "Cluster" and namespace is not None:
        yield forbidden(f"{path}.namespace", "`parameters.scope` is set to 'Cluster'")
    if namespace:
        yield from all_invalid(f"{path}.namespace", namespace, dns_label_faults(namespace))


def set_class_defaults(ingress_class: Obj) -> None:
    """Fill in an IngressClass: its parameters are of the cluster unless it says otherwise."""
    parameters = (ingress_class.get("spec") or {}).get("parameters")
    if parameters is not None and parameters.get("scope") is None:
        parameters["scope"] = "Cluster"


def check_ingress_class_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the fault of handing a class to another controller."""
    yield from check_immutable(
        "spec.controller", part(new, "spec").get("controller"), part(old, "spec").get("controller")
    )


INGRESS_RULES = make_rules(check_ingress, prepare_create=start_with({"loadBalancer": {}}))
INGRESS_CLASS_RULES = make_rules(check_ingress_class, check_ingress_class_update, set_defaults=set_class_defaults)
