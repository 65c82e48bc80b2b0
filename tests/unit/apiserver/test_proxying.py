import pytest

from minikube_py.api.errors import BadRequestError, UnavailableError, UnnamedError
from minikube_py.apiserver.proxying import (
    Location,
    Target,
    forwarded_headers,
    node_location,
    pod_location,
    request_target,
    returned_headers,
    rewrite_location,
    service_location,
    split_path,
    split_target,
)

WEB = Target("", "web", "")


def a_pod(ip="10.1.2.3", *ports):
    containers = [{"name": "c", "ports": [{"containerPort": port} for port in ports]}]
    return {"metadata": {"name": "web"}, "spec": {"containers": containers}, "status": {"podIP": ip}}


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("web", Target("", "web", "")),
        ("web:80", Target("", "web", "80")),
        ("https:web:", Target("https", "web", "")),
        ("http:web:http", Target("http", "web", "http")),
        (":web:80", Target("", "web", "80")),
    ],
)
def test_a_name_may_have_a_scheme_and_a_port(text, target):
    assert split_target("service", text) == target


@pytest.mark.parametrize("text", ["ftp:web:80", "a:b:c:d", ":80", "https::443"])
def test_a_name_of_another_form_is_refused(text):
    with pytest.raises(BadRequestError, match=f'invalid pod request "{text}"'):
        split_target("pod", text)


def test_a_pod_is_asked_at_its_first_port_unless_another_is_named():
    assert pod_location(a_pod("10.1.2.3", 8080, 9090), WEB) == Location("http", "10.1.2.3", 8080)
    assert pod_location(a_pod(), WEB).port == 80
    assert pod_location(a_pod(), Target("https", "web", "8443")) == Location("https", "10.1.2.3", 8443)


@pytest.mark.parametrize("ip", ["", "127.0.0.1", "169.254.169.254", "::1", "fe80::1", "0.0.0.0", "224.0.0.1", "x"])
def test_addresses_of_the_api_servers_own_host_are_refused(ip):
    with pytest.raises(BadRequestError, match="address not allowed"):
        pod_location(a_pod(ip), WEB)


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1", "9" * 5000])
def test_a_pods_port_is_a_number(port):
    with pytest.raises(BadRequestError, match="is not a number between 1 and 65535"):
        pod_location(a_pod(), Target("", "web", port))


SERVICE = {"metadata": {"name": "web"}, "spec": {"ports": [{"name": "http", "port": 80}, {"name": "s", "port": 443}]}}
ENDPOINTS = {
    "subsets": [
        {"notReadyAddresses": [{"ip": "10.1.0.9"}], "ports": [{"name": "http", "port": 8080}]},
        {"addresses": [{"ip": "10.1.0.1"}, {"ip": "10.1.0.2"}], "ports": [{"name": "http", "port": 8080}]},
    ]
}


@pytest.mark.parametrize("port", ["http", "80"])
def test_a_services_port_is_a_name_or_a_number_and_leads_to_a_ready_endpoint(port):
    found = service_location(SERVICE, ENDPOINTS, Target("https", "web", port), lambda among: among[-1])

    assert found == Location("https", "10.1.0.2", 8080)


@pytest.mark.parametrize(
    ("port", "endpoints", "why"),
    [
        ("81", ENDPOINTS, 'no service port 81 found for service "web"'),
        ("443", ENDPOINTS, 'no endpoints available for service "web"'),
        ("http", {}, 'no endpoints available for service "web"'),
        ("", ENDPOINTS, 'no endpoints available for service "web"'),
    ],
)
def test_a_service_that_leads_nowhere_says_why(port, endpoints, why):
    with pytest.raises(UnavailableError, match=why):
        service_location(SERVICE, endpoints, Target("", "web", port), lambda among: among[0])


NODE = {
    "status": {
        "addresses": [{"type": "Hostname", "address": "n1"}, {"type": "InternalIP", "address": "192.0.2.7"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
    }
}


@pytest.mark.parametrize(
    ("target", "location"),
    [
        (Target("", "n1", ""), Location("https", "192.0.2.7", 10250, kubelet=True)),
        (Target("http", "n1", "10250"), Location("https", "192.0.2.7", 10250, kubelet=True)),
        (Target("", "n1", "9100"), Location("http", "192.0.2.7", 9100)),
        (Target("https", "n1", "6443"), Location("https", "192.0.2.7", 6443)),
    ],
)
def test_a_node_is_its_kubelet_unless_a_port_is_named(target, location):
    assert node_location(NODE, target) == location


def test_a_node_is_reached_by_its_best_address_and_its_own_port():
    outside = {
        "status": {"addresses": [{"type": "Hostname", "address": "n1"}, {"type": "ExternalIP", "address": "::1"}]}
    }
    named = {"status": {"addresses": [{"type": "Hostname", "address": "n1"}]}}

    assert node_location(outside, Target("", "n1", "")) == Location("https", "::1", 10250, kubelet=True)
    assert node_location(named, Target("", "n1", "")).host == "n1"
    moved = {"status": {**NODE["status"], "daemonEndpoints": {"kubeletEndpoint": {"Port": 11250}}}}
    assert node_location(moved, Target("", "n1", "")).port == 11250
    assert not node_location(moved, Target("", "n1", "10250")).kubelet
    with pytest.raises(UnnamedError, match="no preferred addresses found"):
        node_location({"metadata": {"name": "n1"}}, Target("", "n1", ""))


def test_a_location_writes_ipv6_in_brackets():
    assert Location("https", "fd00::1", 443).root == "https://[fd00::1]:443"


@pytest.mark.parametrize(
    ("path", "namespaced", "split"),
    [
        ("/api/v1/namespaces/x/pods/p:80/proxy/a//b/", True, ("/api/v1/namespaces/x/pods/p:80/proxy", "/a//b/")),
        ("/api/v1/namespaces/x/pods/p/proxy", True, ("/api/v1/namespaces/x/pods/p/proxy", "")),
        ("/api/v1/nodes/n/proxy/", False, ("/api/v1/nodes/n/proxy", "/")),
    ],
)
def test_what_follows_the_proxy_is_kept_as_it_is(path, namespaced, split):
    assert split_path(path, namespaced=namespaced) == split


def test_the_request_line_is_quoted_anew():
    assert request_target("/a b/ü", "q=%20") == "/a%20b/%C3%BC?q=%20"
    assert request_target("", "") == "/"


def test_credentials_and_hops_stay_behind():
    sent = [
        ("Host", "api:6443"),
        ("Authorization", "Bearer secret"),
        ("Impersonate-User", "bob"),
        ("Connection", "keep-alive"),
        ("X-Forwarded-For", "203.0.113.1"),
        ("X-Forwarded-Host", "forged"),
        ("Accept", "text/html"),
    ]

    kept = forwarded_headers(sent, client="192.0.2.1", host="api:6443", uri="/x", scheme="https", upgrade=False)

    assert kept == [
        ("Host", "api:6443"),
        ("Accept", "text/html"),
        ("X-Forwarded-For", "203.0.113.1, 192.0.2.1"),
        ("X-Forwarded-Host", "api:6443"),
        ("X-Forwarded-Uri", "/x"),
        ("X-Forwarded-Proto", "https"),
    ]


def test_an_upgrade_keeps_the_two_headers_that_ask_for_it():
    sent = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("TE", "trailers")]
    kept = forwarded_headers(sent, client="c", host="h", uri="/", scheme="http", upgrade=True)

    assert kept[:2] == [("Connection", "Upgrade"), ("Upgrade", "websocket")]
    assert "TE" not in dict(kept)


def test_an_answers_redirect_leads_through_the_proxy_and_cors_is_not_the_pods():
    location = Location("http", "10.1.2.3", 80)
    given = [("Location", "/login"), ("Access-Control-Allow-Origin", "*"), ("Transfer-Encoding", "chunked")]

    assert returned_headers(given, location, "/p/proxy") == [("Location", "/p/proxy/login")]


@pytest.mark.parametrize(
    ("value", "rewritten"),
    [
        ("/a?b", "/p/proxy/a?b"),
        ("http://10.1.2.3:80/a", "/p/proxy/a"),
        ("http://10.1.2.3:80", "/p/proxy/"),
        ("https://elsewhere.example/a", "https://elsewhere.example/a"),
        ("//elsewhere.example/a", "//elsewhere.example/a"),
        ("relative", "relative"),
    ],
)
def test_only_the_objects_own_redirects_are_rewritten(value, rewritten):
    assert rewrite_location(value, Location("http", "10.1.2.3", 80), "/p/proxy") == rewritten
