"""APIServices: which server answers."""

import pytest

from minikube_py.api.resources import find_resource
from minikube_py.testing.rule_cases import REMOVED, made, new_faults

SERVICES = find_resource("apiregistration.k8s.io", "v1", "apiservices")


def test_a_service_is_reached_at_443():
    assert made(SERVICES)["spec"]["service"]["port"] == 443


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"metadata.name": "v2.x.example.com"}, [("metadata.name", "Invalid")]),
        ({"spec.groupPriorityMinimum": 0}, [("spec.groupPriorityMinimum", "Invalid")]),
        ({"spec.versionPriority": 1001}, [("spec.versionPriority", "Invalid")]),
        ({"spec.service.name": ""}, [("spec.service.name", "Required")]),
        ({"spec.service.port": 70000}, [("spec.service.port", "Invalid")]),
        ({"spec.service": REMOVED, "spec.caBundle": "x"}, [("spec.caBundle", "Invalid")]),
        ({"spec.service": REMOVED, "spec.insecureSkipTLSVerify": True}, [("spec.insecureSkipTLSVerify", "Invalid")]),
        (
            {"spec.caBundle": "x", "spec.insecureSkipTLSVerify": True},
            [("spec.insecureSkipTLSVerify", "Invalid")],
        ),
        ({"metadata.name": "v1.", "spec.group": "", "spec.service": REMOVED}, []),
        ({"metadata.name": "v2.", "spec.group": "", "spec.version": "v2"}, [("spec.group", "Required")]),
    ],
)
def test_faults_of_a_service(changes, faults):
    assert new_faults(SERVICES, changes) == faults


def test_a_condition_is_true_false_or_unknown():
    status = {"conditions": [{"type": "Available", "status": "Unknown"}, {"type": "A", "status": "Maybe"}]}

    assert [f.field for f in SERVICES.validate_status({"status": status}, {})] == ["status.conditions[1].status"]
