"""Cells of EndpointSlice."""

from minikube_py.api.columns.discovery_v1 import ENDPOINT_SLICE_COLUMNS


def cells(**fields):
    obj = {"metadata": {"name": "eps"}, "addressType": "IPv4", **fields}
    return [column.cell(obj, 0.0) for column in ENDPOINT_SLICE_COLUMNS]


def test_ports_and_addresses_of_all_endpoints_are_listed():
    endpoints = [{"addresses": ["192.0.2.1"]}, {"addresses": ["192.0.2.2"]}]

    assert cells(ports=[{"port": 80}], endpoints=endpoints)[:4] == ["eps", "IPv4", "80", "192.0.2.1,192.0.2.2"]


def test_what_is_not_set_is_said():
    assert cells()[2:4] == ["<unset>", "<unset>"]
    assert cells(ports=[{}, {"name": "web"}])[2] == "*,web"


def test_the_fourth_and_later_are_counted():
    assert cells(ports=[{"port": n} for n in range(1, 6)])[2] == "1,2,3 + 2 more..."
