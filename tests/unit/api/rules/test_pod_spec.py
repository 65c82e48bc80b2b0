import pytest

from minikube_py.api.rules.pod_defaults import set_template_defaults
from minikube_py.api.rules.pod_spec import validate_pod_spec, validate_pod_template


def template(**spec):
    obj = {"spec": {"containers": [{"name": "c", "image": "i"}], **spec}}
    set_template_defaults(obj)
    return obj


def found(**spec):
    return [
        (f.field, f.reason.removeprefix("FieldValue")) for f in validate_pod_spec(template(**spec)["spec"], "spec")
    ]


@pytest.mark.parametrize(
    ("spec", "faults"),
    [
        ({}, []),
        ({"nodeSelector": {"a b": ""}}, [("spec.nodeSelector", "Invalid")]),
        ({"dnsPolicy": "None", "dnsConfig": {}}, [("spec.dnsConfig.nameservers", "Required")]),
        ({"dnsConfig": {"searches": ["a"] * 33}}, [("spec.dnsConfig.searches", "Invalid")]),
        ({"dnsConfig": {"searches": [("a" * 60 + ".") * 4] * 9}}, [("spec.dnsConfig.searches", "Invalid")]),
        ({"dnsConfig": {"searches": [".", "a.b.", "_tcp.a"]}}, []),
        ({"serviceAccountName": "A"}, [("spec.serviceAccountName", "Invalid")]),
        ({"nodeName": "a/b"}, [("spec.nodeName", "Invalid")]),
        ({"imagePullSecrets": [{"name": "A"}]}, [("spec.imagePullSecrets[0].name", "Invalid")]),
        ({"activeDeadlineSeconds": 2**31}, [("spec.activeDeadlineSeconds", "Invalid")]),
        ({"preemptionPolicy": "x"}, [("spec.preemptionPolicy", "NotSupported")]),
        ({"os": {"name": "x"}}, [("spec.os.name", "NotSupported")]),
        ({"os": {"name": "linux"}, "preemptionPolicy": "Never"}, []),
        ({"resources": {"limits": {"cpu": "-1"}}}, [("spec.resources.limits[cpu]", "Invalid")]),
    ],
    ids=str,
)
def test_each_fault_names_its_field(spec, faults):
    assert found(**spec) == faults


def test_a_template_has_metadata_and_no_ephemeral_containers():
    obj = template(ephemeralContainers=[{"name": "e", "image": "i"}])
    obj["metadata"] = {"labels": {"a b": ""}, "annotations": {"a b": ""}}

    assert [f.field for f in validate_pod_template(obj, "spec.template")] == [
        "spec.template.labels",
        "spec.template.annotations",
        "spec.template.spec.ephemeralContainers",
    ]
