"""Network policies: peers, ports, ranges."""

import pytest

from minikube_py.api.resources import find_resource
from minikube_py.testing.rule_cases import made, new_faults

POLICIES = find_resource("networking.k8s.io", "v1", "networkpolicies")
E = "spec.egress[0]"


def egress(**rule):
    return {"spec.egress": [rule]}


def block(cidr, *holes):
    return egress(to=[{"ipBlock": {"cidr": cidr, "except": list(holes)}}])


def test_a_policy_is_about_what_it_has_rules_for():
    assert made(POLICIES)["spec"]["policyTypes"] == ["Ingress"]
    assert made(POLICIES, egress())["spec"]["policyTypes"] == ["Ingress", "Egress"]


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        (block("10.0.0.0/8", "10.1.0.0/16"), []),
        (block("10.0.0.0/8", "11.0.0.0/16"), [(f"{E}.to[0].ipBlock.except[0]", "Invalid")]),
        (block("10.0.0.0/8", "10.0.0.0/8"), [(f"{E}.to[0].ipBlock.except[0]", "Invalid")]),
        (block("10.0.0.0/8", "2001:db8::/32"), [(f"{E}.to[0].ipBlock.except[0]", "Invalid")]),
        (block("10.0.0.0/8", "x"), [(f"{E}.to[0].ipBlock.except[0]", "Invalid")]),
        (block(""), [(f"{E}.to[0].ipBlock.cidr", "Required")]),
        (egress(to=[{"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}]), [(f"{E}.to[0]", "Forbidden")]),
        (
            egress(to=[{"podSelector": {"matchLabels": {"a b": ""}}}]),
            [(f"{E}.to[0].podSelector.matchLabels", "Invalid")],
        ),
        (egress(ports=[{"port": 80, "endPort": 90}]), []),
        (egress(ports=[{"port": 80, "endPort": 70}]), [(f"{E}.ports[0].endPort", "Invalid")]),
        (egress(ports=[{"port": "http", "endPort": 70}]), [(f"{E}.ports[0].endPort", "Invalid")]),
        (egress(ports=[{"endPort": 70}]), [(f"{E}.ports[0].endPort", "Required")]),
        (egress(ports=[{"port": 80, "endPort": 70000}]), [(f"{E}.ports[0].endPort", "Invalid")]),
        (egress(ports=[{"protocol": "ICMP"}]), [(f"{E}.ports[0].protocol", "NotSupported")]),
        ({"spec.policyTypes": ["Ingress", "Egress", "Other"]}, [("spec.policyTypes", "Invalid")]),
    ],
)
def test_faults_of_a_policy(changes, faults):
    assert new_faults(POLICIES, changes) == faults
