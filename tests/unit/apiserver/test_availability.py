"""Why a server cannot be asked."""

import pytest

from minikube_py.apiserver.api_services import ServiceReference
from minikube_py.apiserver.availability import bad_status, check_service, failed_check

TARGET = ServiceReference("ns", "s", 443)
SERVICE = {"spec": {"type": "ClusterIP", "ports": [{"name": "https", "port": 443}]}}
READY = {"addresses": ["10.0.0.1"], "conditions": {"ready": True}}


def a_slice(*endpoints, port="https"):
    return {"ports": [{"name": port, "port": 8443}], "endpoints": list(endpoints)}


@pytest.mark.parametrize(
    ("service", "slices", "reason", "message"),
    [
        (None, [], "ServiceNotFound", 'service/s in "ns" is not present'),
        (
            {"spec": {"ports": [{"port": 80}]}},
            [],
            "ServicePortError",
            'service/s in "ns" is not listening on port 443',
        ),
        (SERVICE, [], "EndpointsNotFound", 'cannot find endpoints for service/s in "ns"'),
        (
            SERVICE,
            [a_slice(), a_slice(READY, port="other"), a_slice({**READY, "conditions": {"ready": False}})],
            "MissingEndpoints",
            'endpoints for service/s in "ns" have no addresses with port name "https"',
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isalpha() else "",
)
def test_what_is_wrong_has_upstreams_reason_and_words(service, slices, reason, message):
    assert check_service(TARGET, service, slices) == ("False", reason, message)


@pytest.mark.parametrize("slices", [[a_slice(READY)], [a_slice(), a_slice({"addresses": ["10.0.0.1"]})]])
def test_one_ready_endpoint_is_enough(slices):
    assert check_service(TARGET, SERVICE, slices) is None


def test_a_service_without_endpoints_of_its_own_is_asked_at_once():
    assert check_service(TARGET, {"spec": {"type": "ExternalName", "externalName": "x"}}, []) is None


def test_anything_but_success_fails_the_check():
    assert [code for code in (200, 204, 302, 401, 503) if bad_status("u", code)] == [302, 401, 503]
    assert failed_check("u", bad_status("u", 503)).message == (
        "failing or missing response from u: bad status from u: 503"
    )
