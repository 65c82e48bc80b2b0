"""The variables that Services contribute to every container's environment (upstream: kubelet/envvars).

Services of the pod's own namespace (unless `enableServiceLinks` is false) and always `default/kubernetes`; headless
ones contribute nothing. Names are upper case with `_` for `-`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from minikube_py.api.meta import name_of, namespace_of

MASTER = ("default", "kubernetes")


def service_environment(
    namespace: str, services: Iterable[Mapping[str, Any]], *, service_links: bool
) -> Mapping[str, str]:
    """Return the variables for a pod of `namespace`."""
    chosen: dict[str, Mapping[str, Any]] = {}
    for service in services:
        where, name = namespace_of(service), name_of(service)
        if not _has_cluster_ip(service):
            continue
        if (where, name) == MASTER:
            # A service of the pod's own namespace with this name comes first, if links are wanted at all.
            chosen.setdefault(name, service)
        elif where == namespace and service_links:
            chosen[name] = service
    variables: dict[str, str] = {}
    for name in sorted(chosen):
        _add_service(variables, name, chosen[name])
    return variables


def _has_cluster_ip(service: Mapping[str, Any]) -> bool:
    return (service.get("spec") or {}).get("clusterIP", "") not in ("", "None")


def _add_service(variables: dict[str, str], name: str, service: Mapping[str, Any]) -> None:
    spec = service["spec"]
    address, ports = spec["clusterIP"], spec.get("ports") or ()
    if not ports:
        return
    shown = f"[{address}]" if ":" in address else address
    prefix = _variable(name)
    variables[f"{prefix}_SERVICE_HOST"] = address
    variables[f"{prefix}_SERVICE_PORT"] = str(ports[0]["port"])
    for port in ports:
        if port.get("name"):
            variables[f"{prefix}_SERVICE_PORT_{_variable(port['name'])}"] = str(port["port"])
    for index, port in enumerate(ports):
        protocol = str(port.get("protocol") or "TCP")
        url = f"{protocol.lower()}://{shown}:{port['port']}"
        if index == 0:
            variables[f"{prefix}_PORT"] = url
        each = f"{prefix}_PORT_{port['port']}_{protocol}"
        variables[each] = url
        variables[f"{each}_PROTO"] = protocol.lower()
        variables[f"{each}_PORT"] = str(port["port"])
        variables[f"{each}_ADDR"] = address


def _variable(name: str) -> str:
    return name.replace("-", "_").upper()
