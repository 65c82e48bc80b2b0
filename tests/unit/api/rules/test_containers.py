import pytest

from minikube_py.api.rules.containers import validate_containers
from minikube_py.api.rules.pod_defaults import set_pod_spec_defaults

PROBE = {"exec": {"command": ["true"]}}


def found(spec):
    spec = {"containers": [{"name": "c", "image": "i"}], **spec}
    set_pod_spec_defaults(spec)
    return [
        (f.field.removeprefix("spec."), f.reason.removeprefix("FieldValue"))
        for f in validate_containers(spec, "spec")
    ]


def container(**fields):
    return {"containers": [{"name": "c", "image": "i", **fields}], "volumes": [{"name": "v"}]}


def mount(**fields):
    return container(volumeMounts=[{"name": "v", "mountPath": "/x", **fields}])


@pytest.mark.parametrize(
    ("spec", "faults"),
    [
        ({}, []),
        ({"initContainers": [{"name": "c", "image": "i"}]}, [("initContainers[0].name", "Duplicate")]),
        (container(restartPolicy="Sometimes"), [("containers[0].restartPolicy", "NotSupported")]),
        (container(terminationMessagePolicy="x"), [("containers[0].terminationMessagePolicy", "NotSupported")]),
        (
            container(ports=[{"containerPort": 1, "hostPort": 70000}]),
            [("containers[0].ports[0].hostPort", "Invalid")],
        ),
        (mount(), []),
        (mount(mountPath=""), [("containers[0].volumeMounts[0].mountPath", "Required")]),
        (mount(name=""), [("containers[0].volumeMounts[0].name", "Required")]),
        (mount(subPath="/a"), [("containers[0].volumeMounts.subPath", "Invalid")]),
        (mount(subPath="a", subPathExpr="b"), [("containers[0].volumeMounts.subPathExpr", "Invalid")]),
        (mount(mountPropagation="x"), [("containers[0].volumeMounts.mountPropagation", "NotSupported")]),
        (mount(recursiveReadOnly="Enabled"), [("containers[0].volumeMounts.recursiveReadOnly", "Forbidden")]),
        (mount(recursiveReadOnly="Enabled", readOnly=True), []),
        (
            {
                "ephemeralContainers": [
                    {"name": "e", "image": "i", "targetContainerName": "x", "readinessProbe": PROBE}
                ]
            },
            [
                ("ephemeralContainers[0].targetContainerName", "NotFound"),
                ("ephemeralContainers[0].readinessProbe", "Forbidden"),
            ],
        ),
        (
            {"ephemeralContainers": [{"name": "e", "image": "i", "resources": {"limits": {"cpu": "1"}}}]},
            [("ephemeralContainers[0].resources", "Forbidden")],
        ),
    ],
    ids=str,
)
def test_each_fault_names_its_field(spec, faults):
    assert found(spec) == faults


def test_a_sidecar_may_be_probed_and_another_init_container_may_not():
    sidecar = {"name": "s", "image": "i", "restartPolicy": "Always", "readinessProbe": dict(PROBE)}
    plain = {"name": "p", "image": "i", "readinessProbe": dict(PROBE)}

    assert found({"initContainers": [sidecar]}) == []
    assert found({"initContainers": [plain]}) == [("initContainers[0].readinessProbe", "Forbidden")]


def test_the_same_host_port_on_two_addresses_is_fine():
    ports = [{"containerPort": 80, "hostPort": 80, "hostIP": ip} for ip in ("1.1.1.1", "1.1.1.2")]

    assert found(container(ports=ports)) == []


def test_host_ports_clash_across_containers():
    port = {"containerPort": 80, "hostPort": 80}
    two = [{"name": name, "image": "i", "ports": [dict(port)]} for name in ("a", "b")]

    assert found({"containers": two}) == [("containers[1].ports[0].hostPort", "Duplicate")]
