"""The judge of the chaos runs must see pods that are not reached, and what leads to pods that are gone."""

import json
from types import SimpleNamespace

from minikube_py.testing.chaos_pods import HOST_PORTS, SERVE_PORT
from minikube_py.testing.service_answers import endpoint_faults, port_faults

PORT = HOST_PORTS[3]


class _Cluster:
    """A host with one Service's endpoints, answers by place, and map elements of the kernel."""

    def __init__(self, endpoints=(), answers=None, elements=()):
        self.host = SimpleNamespace(address="192.0.2.1")
        self.endpoints = [{"addresses": [a], "conditions": {"ready": True}} for a in endpoints]
        self.answers = answers or {}
        self.elements = elements

    def get(self, *_):
        return {"items": [{"endpoints": self.endpoints}]}

    def in_host(self, *argv, check=True):
        if argv[0] == "nft":
            return SimpleNamespace(stdout=json.dumps({"nftables": [{"map": {"elem": self.elements}}]}))
        return SimpleNamespace(stdout=self.answers.get(argv[-1], ""))


def _pod(name, address, *, ready=True, port=0):
    ports = [{"containerPort": SERVE_PORT, "hostPort": port}] if port else []
    status = {"podIP": address, "conditions": [{"type": "Ready", "status": str(ready)}]}
    return {"metadata": {"name": name, "labels": {}}, "spec": {"containers": [{"ports": ports}]}, "status": status}


def test_endpoints_are_the_ready_pods():
    pods = [_pod("a", "10.0.0.2"), _pod("b", "10.0.0.3", ready=False)]

    assert list(endpoint_faults(_Cluster(["10.0.0.2"]), pods)) == []
    assert list(endpoint_faults(_Cluster(["10.0.0.3"]), pods)) == [
        "ready endpoints are ['10.0.0.3'], addresses of ready pods ['10.0.0.2']"
    ]


def test_a_pod_answers_by_its_address_and_its_host_port():
    own, host = f"http://10.0.0.2:{SERVE_PORT}/", f"http://192.0.2.1:{PORT}/"
    pods = [_pod("a", "10.0.0.2", port=PORT)]

    assert list(port_faults(_Cluster(answers={own: "a\n", host: "a\n"}), pods)) == []
    assert list(port_faults(_Cluster(answers={own: "a\n", host: "b\n"}), pods)) == [
        f"pod a answers 'b' at 192.0.2.1:{PORT}"
    ]


def test_a_host_port_that_leads_to_no_pod_is_seen():
    elements = [[{"concat": ["tcp", PORT]}, {"goto": {"target": "x"}}]]

    assert list(port_faults(_Cluster(elements=elements), [])) == [f"host port {PORT} is no pod's"]
