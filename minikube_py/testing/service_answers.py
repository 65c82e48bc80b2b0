"""Whether a lab's pods are reached as their statuses promise: by their address, by their host port, as endpoints.

For pods that serve their own name on one port (testing.chaos_pods).
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from minikube_py.testing.chaos_pods import HOST_PORTS, RESTLESS, SERVE_PORT, SERVICE
from minikube_py.testing.lab.cluster import Cluster

Obj = Mapping[str, Any]


def endpoint_faults(cluster: Cluster, pods: Sequence[Obj]) -> Iterator[str]:
    """Yield the difference between the addresses of ready pods and the ready endpoints of their Service."""
    steady = [p for p in pods if RESTLESS not in p["metadata"]["labels"]]
    restless = {str(p["status"].get("podIP")) for p in pods} - {str(p["status"].get("podIP")) for p in steady}
    wanted = {str(p["status"]["podIP"]) for p in steady if _is_ready(p)}
    slices = cluster.get("endpointslices", "-n", "default", "-l", f"kubernetes.io/service-name={SERVICE}")["items"]
    endpoints = [e for piece in slices for e in piece.get("endpoints") or () if e["conditions"].get("ready")]
    found = {address for endpoint in endpoints for address in endpoint["addresses"]} - restless
    if found != wanted:
        yield f"ready endpoints are {sorted(found)}, addresses of ready pods {sorted(wanted)}"


def _is_ready(pod: Obj) -> bool:
    conditions = pod["status"].get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def port_faults(cluster: Cluster, living: Iterable[Obj]) -> Iterator[str]:
    """Yield pods that do not answer by their address or host port, and host ports in the kernel that are no pod's."""
    ports: set[int] = set()
    for pod in living:
        ports |= {p["hostPort"] for c in pod["spec"]["containers"] for p in c.get("ports") or ()}
        if _is_ready(pod) and RESTLESS not in pod["metadata"]["labels"] and not pod["spec"].get("hostNetwork"):
            yield from _answer_faults(cluster, pod)
    for port in sorted(_host_ports_of_kernel(cluster) - ports):
        yield f"host port {port} is no pod's"


def _answer_faults(cluster: Cluster, pod: Obj) -> Iterator[str]:
    name, serving = pod["metadata"]["name"], pod["spec"]["containers"][0]
    places = [f"{pod['status']['podIP']}:{SERVE_PORT}"]
    places += [f"{cluster.host.address}:{p['hostPort']}" for p in serving.get("ports") or ()]
    for place in places:
        argv = ["curl", "-s", "--noproxy", "*", "--max-time", "10", f"http://{place}/"]
        answer = cluster.in_host(*argv, check=False).stdout.strip()
        if answer != name:
            yield f"pod {name} answers {answer!r} at {place}"


def _host_ports_of_kernel(cluster: Cluster) -> set[int]:
    found: set[int] = set()
    for entry in json.loads(cluster.in_host("nft", "-j", "list", "ruleset").stdout)["nftables"]:
        for element in (entry.get("map") or {}).get("elem") or ():
            found |= {n for n in _numbers(element) if n in HOST_PORTS}
    return found


def _numbers(value: Any) -> Iterator[int]:
    if isinstance(value, int):
        yield value
    elif isinstance(value, dict):
        for child in value.values():
            yield from _numbers(child)
    elif isinstance(value, list):
        for child in value:
            yield from _numbers(child)
