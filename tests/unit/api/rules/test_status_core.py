"""What the status of pods, nodes, claims, namespaces, quotas and load balancers may say."""

import pytest

from minikube_py.api.resources import find_resource

PODS = find_resource("", "v1", "pods")
NODES = find_resource("", "v1", "nodes")
CLAIMS = find_resource("", "v1", "persistentvolumeclaims")
NAMESPACES = find_resource("", "v1", "namespaces")
QUOTAS = find_resource("", "v1", "resourcequotas")
SERVICES = find_resource("", "v1", "services")
INGRESSES = find_resource("networking.k8s.io", "v1", "ingresses")
SCHEMAS = find_resource("flowcontrol.apiserver.k8s.io", "v1", "flowschemas")
POLICIES = find_resource("admissionregistration.k8s.io", "v1", "validatingadmissionpolicies")


def faults(resource, status, before=None, meta=None, **spec):
    shared = {"metadata": meta or {}, "spec": spec}
    found = resource.validate_status({**shared, "status": status}, {**shared, "status": before or {}})
    return [f"{f.field.removeprefix('status.')} {f.reason.removeprefix('FieldValue')}" for f in found]


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ({"podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]}, []),
        ({"podIPs": [{"ip": "x"}]}, ["podIPs[0].ip Invalid"]),
        ({"podIPs": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.1"}]}, ["podIPs[1] Duplicate", "podIPs Invalid"]),
        ({"podIP": "10.0.0.2", "podIPs": [{"ip": "10.0.0.1"}]}, ["podIPs[0].ip Invalid"]),
        ({"hostIPs": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}]}, ["hostIPs Invalid"]),
        ({"nominatedNodeName": "a b"}, ["nominatedNodeName Invalid"]),
        ({"nominatedNodeName": "n1"}, []),
        ({"observedGeneration": -1}, ["observedGeneration Invalid"]),
    ],
)
def test_a_pods_addresses_and_names_are_such(status, found):
    assert faults(PODS, status) == found


def test_a_pods_quality_of_service_stays():
    assert faults(PODS, {"qosClass": "Burstable"}, {"qosClass": "BestEffort"}) == ["qosClass Invalid"]
    assert faults(PODS, {"qosClass": "Burstable"}) == []


ENDED, RUNS = {"terminated": {"exitCode": 0}}, {"running": {}}
CRASHED = {"terminated": {"exitCode": 1}}


@pytest.mark.parametrize(
    ("policy", "before", "after", "fine"),
    [
        ("Always", ENDED, RUNS, True),
        ("OnFailure", CRASHED, RUNS, True),
        ("OnFailure", ENDED, RUNS, False),
        ("Never", CRASHED, RUNS, False),
        ("Never", ENDED, ENDED, True),
        ("Never", RUNS, ENDED, True),
    ],
)
def test_a_container_that_may_not_start_again_stays_ended(policy, before, after, fine):
    def status(state):
        return {"containerStatuses": [{"name": "c", "state": state}]}

    found = faults(PODS, status(after), status(before), restartPolicy=policy)
    assert found == ([] if fine else ["containerStatuses[0].state Forbidden"])


def test_a_sidecar_may_start_again():
    def status(state):
        return {"initContainerStatuses": [{"name": "s", "state": state}]}

    spec = {"restartPolicy": "Never", "initContainers": [{"name": "s", "restartPolicy": "Always"}]}
    assert faults(PODS, status(RUNS), status(ENDED), **spec) == []


_TYPES = ["conditions[1].type Duplicate", "conditions[2].type Required"]
_TIMELESS = {"type": "A", "status": "True", "reason": "R"}
ADDRESS = {"type": "InternalIP", "address": "10.0.0.1"}


@pytest.mark.parametrize(
    ("resource", "status", "found"),
    [
        (NODES, {"capacity": {"cpu": "4"}, "addresses": [ADDRESS]}, []),
        (NODES, {"capacity": {"cpu": "-1"}}, ["capacity[cpu] Invalid"]),
        (NODES, {"allocatable": {"memory": "x"}}, ["allocatable[memory] Invalid"]),
        (NODES, {"addresses": [ADDRESS, ADDRESS]}, ["addresses[1] Duplicate"]),
        (CLAIMS, {"capacity": {"storage": "1Gi"}, "allocatedResourceStatuses": {"storage": "NodeResizePending"}}, []),
        (CLAIMS, {"capacity": {"storage": "-1"}}, ["capacity[storage] Invalid"]),
        (
            CLAIMS,
            {"allocatedResourceStatuses": {"cpu": "Soon"}},
            ["allocatedResourceStatuses[cpu] Invalid", "allocatedResourceStatuses[cpu] NotSupported"],
        ),
        (QUOTAS, {"hard": {"pods": "1"}, "used": {"requests.nvidia.com/gpu": "1"}}, []),
        (QUOTAS, {"used": {"pods": "-1"}}, ["used[pods] Invalid"]),
        (QUOTAS, {"hard": {"a b": "1"}}, ["hard[a b] Invalid"]),
        (NAMESPACES, {"phase": "Active"}, []),
        (NAMESPACES, {}, []),
        (NAMESPACES, {"phase": "Terminating"}, ["phase Invalid"]),
        (
            SCHEMAS,
            {"conditions": [{"type": "A"}, {"type": "A"}, {}]},
            ["conditions[1].type Duplicate", "conditions[2].type Required"],
        ),
        (
            POLICIES,
            {"conditions": [{"type": "A", "status": "True", "reason": "R"}]},
            ["conditions[0].lastTransitionTime Required"],
        ),
    ],
)
def test_what_a_status_says_can_be(resource, status, found):
    assert faults(resource, status) == found


def test_a_namespace_that_goes_is_terminating():
    going = {"deletionTimestamp": "2026-01-01T00:00:00Z"}

    assert faults(NAMESPACES, {"phase": "Terminating"}, meta=going) == []
    assert faults(NAMESPACES, {"phase": "Active"}, meta=going) == ["phase Invalid"]


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ({"ip": "10.0.0.1", "ipMode": "VIP"}, []),
        ({"hostname": "lb.example.com"}, []),
        ({"ip": "10.0.0"}, ["ip Invalid"]),
        ({"hostname": "10.0.0.1"}, ["hostname Invalid"]),
        ({"hostname": "a b"}, ["hostname Invalid"]),
        ({"hostname": "a", "ipMode": "VIP"}, ["ipMode Forbidden"]),
        ({"ip": "::1", "ipMode": "Any"}, ["ipMode NotSupported"]),
    ],
)
def test_a_load_balancer_has_addresses_or_names(entry, found):
    status = {"loadBalancer": {"ingress": [entry]}}

    expected = [f"loadBalancer.ingress[0].{fault}" for fault in found]
    assert faults(SERVICES, status, type="LoadBalancer") == expected
    if "ipMode" not in entry:
        assert faults(INGRESSES, status) == expected


def test_only_a_load_balancer_has_what_it_serves():
    status = {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}

    assert faults(SERVICES, status, type="ClusterIP") == ["loadBalancer.ingress Forbidden"]
