"""ReplicationControllers take labels and selector from their template."""

import pytest

from minikube_py.api.resources import find_resource
from minikube_py.testing.rule_cases import REMOVED, made, new_faults

CONTROLLERS = find_resource("", "v1", "replicationcontrollers")
TEMPLATES = find_resource("", "v1", "podtemplates")


def test_labels_and_selector_are_those_of_the_template():
    controller = made(CONTROLLERS, {"spec.selector": REMOVED, "spec.replicas": REMOVED})

    assert controller["spec"]["selector"] == controller["metadata"]["labels"] == {"app": "x"}
    assert controller["spec"]["replicas"] == 1
    assert controller["status"] == {"replicas": 0}


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"spec.template": REMOVED}, [("spec.template", "Required")]),
        ({"spec.replicas": -1}, [("spec.replicas", "Invalid")]),
        ({"spec.minReadySeconds": -1}, [("spec.minReadySeconds", "Invalid")]),
        ({"spec.template.spec.restartPolicy": "Never"}, [("spec.template.spec.restartPolicy", "NotSupported")]),
        (
            {"spec.template.spec.activeDeadlineSeconds": 5},
            [("spec.template.spec.activeDeadlineSeconds", "Forbidden")],
        ),
        (
            {"spec.template.metadata.labels": REMOVED, "spec.selector": {}},
            [("spec.selector", "Required")],
        ),
    ],
)
def test_faults_of_a_replication_controller(changes, faults):
    assert new_faults(CONTROLLERS, changes) == faults


def test_a_pod_template_is_filled_in_and_checked():
    assert made(TEMPLATES)["template"]["spec"]["restartPolicy"] == "Always"
    assert new_faults(TEMPLATES, {"template.spec.containers": []}) == [("template.spec.containers", "Required")]
