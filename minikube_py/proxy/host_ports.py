"""hostPort of containers: ports of this host that lead to one pod of this host.

They are node ports with one endpoint that is always local: clients keep their address, pods and the host itself get
in too. As they live in the same reconciled table they come back after a flush, unlike rules that are written once at
a pod's start. Upstream: the portmap plugin of CNI.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.proxy.chains import ChainSpec, Entry
from minikube_py.proxy.programs import EMPTY, Program, Target, UdpEntry
from minikube_py.proxy.ruleset import (
    CLUSTER_LIST_OFFSET,
    ENDPOINTS,
    HAIRPIN,
    NODE_PORT_ENDPOINTS,
    NODE_PORTS,
    SERVICES,
    Data,
    ElementKey,
    Key,
)
from minikube_py.proxy.service_map import PROTOCOLS, is_ipv4

_ANY_ADDRESS = frozenset({"", "0.0.0.0"})
_ENDED = frozenset({"Succeeded", "Failed"})


def compile_host_ports(pod: Mapping[str, Any]) -> Program:
    """Return what a pod of this node contributes; nothing before it has an address and after it has ended."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    address = status.get("podIP")
    if spec.get("hostNetwork") or not is_ipv4(address) or status.get("phase") in _ENDED:
        return EMPTY
    elements: dict[ElementKey, Data] = {}
    udp: dict[UdpEntry, frozenset[Target]] = {}
    containers = (*(spec.get("initContainers") or ()), *(spec.get("containers") or ()))
    for port in (port for container in containers for port in container.get("ports") or ()):
        protocol = str(port.get("protocol") or "TCP").lower()
        if not port.get("hostPort") or protocol not in PROTOCOLS:
            continue
        target = (str(address), int(port["containerPort"]))
        host_ip, host_port = str(port.get("hostIP") or ""), int(port["hostPort"])
        host_ip = "" if host_ip in _ANY_ADDRESS else host_ip
        elements.update(_port_elements(host_ip, protocol, host_port, target))
        if protocol == "udp":
            udp[host_ip, host_port] = frozenset({target})
    if elements:
        elements[ElementKey(HAIRPIN.name, (str(address), str(address)))] = None
    return Program(elements, udp, frozenset())


def _port_elements(host_ip: str, protocol: str, host_port: int, target: Target) -> dict[ElementKey, Data]:
    entry: Entry = "external" if host_ip else "node-port"
    head: Key = (host_ip,) if host_ip else ()
    verdicts, targets = (SERVICES, ENDPOINTS) if host_ip else (NODE_PORTS, NODE_PORT_ENDPOINTS)
    return {
        ElementKey(verdicts.name, (*head, protocol, host_port)): f"goto {ChainSpec(entry, 1, local=1).name}",
        ElementKey(targets.name, (*head, protocol, host_port, 0)): target,
        ElementKey(targets.name, (*head, protocol, host_port, CLUSTER_LIST_OFFSET)): target,
    }
