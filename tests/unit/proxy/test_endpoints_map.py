from minikube_py.proxy.endpoints_map import merge_slices
from minikube_py.testing.service_builders import a_slice, an_endpoint


def test_endpoints_of_several_slices_are_one_sorted_list():
    slices = (a_slice(an_endpoint("10.244.0.9")), a_slice(an_endpoint("10.244.0.2"), name="web-2"))

    merged = merge_slices(slices, "node-1")

    assert [e.target for e in merged["http"]] == [("10.244.0.2", 8080), ("10.244.0.9", 8080)]


def test_an_endpoint_in_two_slices_counts_once_in_its_better_state():
    ready, gone = an_endpoint("10.244.0.2"), an_endpoint("10.244.0.2", ready=False)

    for slices in ((a_slice(ready), a_slice(gone)), (a_slice(gone), a_slice(ready))):
        (endpoint,) = merge_slices(slices, "node-1")["http"]
        assert endpoint.ready


def test_unknown_conditions_mean_ready():
    (endpoint,) = merge_slices((a_slice({"addresses": ["10.244.0.2"]}),), "node-1")["http"]

    assert (endpoint.ready, endpoint.serving, endpoint.terminating) == (True, True, False)


def test_serving_follows_ready_unless_said():
    (endpoint,) = merge_slices((a_slice(an_endpoint("10.244.0.2", ready=False)),), "node-1")["http"]

    assert not endpoint.serving


def test_endpoints_of_this_node_are_local():
    slices = (a_slice(an_endpoint("10.244.0.2"), an_endpoint("10.244.1.2", node="node-2")),)

    assert [e.is_local for e in merge_slices(slices, "node-1")["http"]] == [True, False]


def test_slices_of_other_address_types_and_ports_without_number_are_left_out():
    fqdn = a_slice(an_endpoint("10.244.0.2")) | {"addressType": "FQDN"}
    every_port = a_slice(an_endpoint("10.244.0.2"), ports=({"name": "all"},))
    odd = a_slice({"addresses": []}, an_endpoint("fd00::2"))

    assert merge_slices((fqdn, every_port), "node-1") == {}
    assert merge_slices((odd,), "node-1") == {"http": ()}


def test_hints_are_read():
    hinted = an_endpoint("10.244.0.2") | {"hints": {"forZones": [{"name": "a"}], "forNodes": [{"name": "node-1"}]}}

    (endpoint,) = merge_slices((a_slice(hinted),), "node-1")["http"]

    assert (endpoint.zone_hints, endpoint.node_hints) == ({"a"}, {"node-1"})
