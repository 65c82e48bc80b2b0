import pytest

from minikube_py.api.rules.discovery import ENDPOINT_SLICE_RULES, special_ip_faults


def endpoint_slice(address_type="IPv4", **fields):
    obj = {"metadata": {"name": "e"}, "addressType": address_type, "endpoints": [], **fields}
    ENDPOINT_SLICE_RULES.set_defaults(obj)
    return obj


def at(*addresses, **fields):
    return [{"addresses": list(addresses), **fields}]


@pytest.mark.parametrize(
    ("obj", "fields"),
    [
        (endpoint_slice(endpoints=at("1.2.3.4"), ports=[{"port": 80}]), []),
        (endpoint_slice("IPv6", endpoints=at("fd00::1")), []),
        (endpoint_slice("FQDN", endpoints=at("a.example.com")), []),
        (endpoint_slice("FQDN", endpoints=at("a")), ["endpoints[0].addresses[0]"]),
        (endpoint_slice(""), ["addressType"]),
        (endpoint_slice("IPv6", endpoints=at("1.2.3.4")), ["endpoints[0].addresses[0]"]),
        (endpoint_slice(endpoints=at("127.0.0.1")), ["endpoints[0].addresses[0]"]),
        (endpoint_slice(endpoints=at("1.2.3.4", hostname="A")), ["endpoints[0].hostname"]),
        (endpoint_slice(endpoints=at("1.2.3.4", nodeName="A")), ["endpoints[0].nodeName"]),
        (
            endpoint_slice(endpoints=at("1.2.3.4", hints={"forZones": [{"name": "a b"}]})),
            ["endpoints[0].hints.forZones[0].name"],
        ),
        (endpoint_slice(endpoints=at("1.2.3.4") * 1001), ["endpoints"]),
        (endpoint_slice(ports=[{"port": 1}, {"port": 2}]), ["ports[1].name"]),
        (
            endpoint_slice(ports=[{"name": "A", "port": 0, "protocol": "x"}]),
            ["ports[0].name", "ports[0].protocol", "ports[0].port"],
        ),
        (endpoint_slice(ports=[{"appProtocol": "a b"}]), ["ports[0].appProtocol"]),
    ],
    ids=lambda value: str(value)[:80],
)
def test_each_fault_names_its_field(obj, fields):
    assert [f.field for f in ENDPOINT_SLICE_RULES.validate(obj)] == fields


def test_the_address_type_stays():
    faults = ENDPOINT_SLICE_RULES.validate_update(endpoint_slice("IPv6"), endpoint_slice("IPv4"))

    assert [(f.field, f.detail) for f in faults] == [("addressType", "field is immutable")]


@pytest.mark.parametrize("ip", ["0.0.0.0", "::", "127.1.1.1", "::1", "169.254.0.1", "fe80::1", "224.0.0.1", "x"])
def test_addresses_that_only_one_host_can_reach_are_no_endpoints(ip):
    assert special_ip_faults(ip)


def test_other_addresses_may_be():
    assert special_ip_faults("224.1.0.1") == special_ip_faults("10.244.0.2") == ()
