import base64

import pytest

from minikube_py.api.errors import UnavailableError
from minikube_py.apiserver.webhooks import decode_bundle, pick_endpoint, service_port, service_target, url_target

SERVICE = {
    "metadata": {"name": "hook", "namespace": "n"},
    "spec": {"ports": [{"name": "https", "port": 443}, {"name": "web", "port": 80}]},
}
SLICES = [
    {
        "ports": [{"name": "https", "port": 8443}],
        "endpoints": [
            {"addresses": ["10.0.0.2"], "conditions": {"ready": True}},
            {"addresses": ["10.0.0.3"], "conditions": {"ready": False}},
            {"addresses": ["10.0.0.1"]},
        ],
    },
    {"ports": [{"name": "web", "port": 8080}], "endpoints": [{"addresses": ["10.0.0.9"]}]},
]


def test_ready_endpoints_of_the_port_take_turns():
    assert [pick_endpoint(SERVICE, SLICES, 443, turn) for turn in range(3)] == [
        ("10.0.0.1", 8443),
        ("10.0.0.2", 8443),
        ("10.0.0.1", 8443),
    ]
    assert pick_endpoint(SERVICE, SLICES, 80, 0) == ("10.0.0.9", 8080)


def test_what_is_missing_is_said():
    with pytest.raises(UnavailableError, match='no service port 9 found for service "hook"'):
        service_port(SERVICE, 9)
    with pytest.raises(UnavailableError, match='no endpoints available for service "hook"'):
        pick_endpoint(SERVICE, [], 443, 0)


def test_a_service_is_called_at_its_endpoint_under_its_name():
    reference = {"name": "hook", "namespace": "n", "path": "/validate", "port": 443}
    target = service_target(reference, ("10.0.0.1", 8443), "", "?timeout=5s")
    assert target.url == "https://10.0.0.1:8443/validate?timeout=5s"
    assert target.shown == "https://hook.n.svc:443/validate?timeout=5s"
    assert target.server_name == "hook.n.svc"
    assert service_target(reference, ("fd00::1", 1), "").url.startswith("https://[fd00::1]:1/")


def test_a_url_is_called_as_it_is():
    target = url_target("https://x.example/hook", base64.b64encode(b"PEM").decode(), "?timeout=5s")
    assert (target.url, target.ca_pem, target.server_name) == ("https://x.example/hook?timeout=5s", "PEM", "")


def test_a_bundle_that_is_no_base64_is_refused():
    assert decode_bundle("") == ""
    with pytest.raises(UnavailableError, match="unable to load root certificates"):
        decode_bundle("%%%")
