import pytest

from minikube_py.api.rules.pod_defaults import set_pod_spec_defaults
from minikube_py.api.rules.probes import validate_lifecycle, validate_port, validate_probes

EXEC = {"exec": {"command": ["true"]}}


def found(**probes):
    container = {"name": "c", "image": "i", **probes}
    set_pod_spec_defaults({"containers": [container]})
    return [(f.field, f.reason.removeprefix("FieldValue")) for f in validate_probes(container, "c")]


@pytest.mark.parametrize(
    ("probe", "faults"),
    [
        (EXEC, []),
        ({"httpGet": {"port": "http", "httpHeaders": [{"name": "X-A"}]}}, []),
        ({"grpc": {"port": 80}}, []),
        ({}, [("c.readinessProbe", "Required")]),
        ({"exec": {}}, [("c.readinessProbe.exec.command", "Required")]),
        ({"httpGet": {"port": 0}}, [("c.readinessProbe.httpGet.port", "Invalid")]),
        ({"httpGet": {"port": 1, "scheme": "x"}}, [("c.readinessProbe.httpGet.scheme", "NotSupported")]),
        (
            {"httpGet": {"port": 1, "httpHeaders": [{"name": "a b"}]}},
            [("c.readinessProbe.httpGet.httpHeaders", "Invalid")],
        ),
        ({"tcpSocket": {"port": "a_"}}, [("c.readinessProbe.tcpSocket.port", "Invalid")]),
        ({**EXEC, "tcpSocket": {"port": 1}}, [("c.readinessProbe.tcpSocket", "Forbidden")]),
        ({**EXEC, "periodSeconds": -1}, [("c.readinessProbe.periodSeconds", "Invalid")]),
        ({**EXEC, "successThreshold": 3}, []),
        (
            {**EXEC, "terminationGracePeriodSeconds": 1},
            [("c.readinessProbe.terminationGracePeriodSeconds", "Invalid")],
        ),
    ],
    ids=str,
)
def test_each_fault_of_a_probe_names_its_field(probe, faults):
    assert found(readinessProbe=dict(probe)) == faults


def test_liveness_and_startup_succeed_at_once():
    assert found(startupProbe={**EXEC, "successThreshold": 2}) == [("c.startupProbe.successThreshold", "Invalid")]
    assert found(livenessProbe={**EXEC, "terminationGracePeriodSeconds": 0}) == [
        ("c.livenessProbe.terminationGracePeriodSeconds", "Invalid")
    ]


def test_hooks_may_sleep_and_need_a_handler():
    lifecycle = {"postStart": {"sleep": {"seconds": -1}}, "preStop": {}}

    assert [f.field for f in validate_lifecycle(lifecycle, "l")] == ["l.postStart.sleep.seconds", "l.preStop"]


def test_a_port_is_a_number_or_a_name():
    assert not list(validate_port("http", "p"))
    assert not list(validate_port(80, "p"))
    assert list(validate_port("80", "p"))
