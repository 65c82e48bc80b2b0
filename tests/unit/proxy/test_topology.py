from minikube_py.proxy.endpoints_map import Endpoint
from minikube_py.proxy.topology import NodeFacts, select_endpoints

HERE = NodeFacts("node-1", "zone-a")


def endpoint(n: int, **fields) -> Endpoint:
    state = {"ready": True, "serving": True, "terminating": False, "is_local": False} | fields
    return Endpoint(f"10.244.0.{n}", 80, **state)


TERMINATING = {"ready": False, "serving": True, "terminating": True}


def test_ready_endpoints_are_chosen():
    a, b = endpoint(2), endpoint(3, ready=False, serving=False)

    selected = select_endpoints((a, b), HERE)

    assert selected.cluster.endpoints == (a,)
    assert not selected.cluster.last_resort


def test_terminating_ones_that_serve_are_the_last_resort_for_each_policy_by_itself():
    local, remote = endpoint(2, is_local=True, **TERMINATING), endpoint(3)

    selected = select_endpoints((local, remote), HERE)

    assert selected.cluster.endpoints == (remote,)
    assert selected.local.endpoints == (local,)
    assert selected.local.last_resort


def test_not_ready_ones_that_do_not_terminate_are_never_chosen():
    selected = select_endpoints((endpoint(2, ready=False, serving=True),), HERE)

    assert not selected.has_any


def test_has_any_looks_at_the_whole_cluster():
    assert select_endpoints((endpoint(2),), HERE).has_any
    assert not select_endpoints((), HERE).has_any


def test_hints_for_this_zone_narrow_when_every_endpoint_has_some():
    a, b = endpoint(2, zone_hints=frozenset({"zone-a"})), endpoint(3, zone_hints=frozenset({"zone-b"}))

    assert select_endpoints((a, b), HERE).cluster.endpoints == (a,)
    assert select_endpoints((a, b, endpoint(4)), HERE).cluster.endpoints == (a, b, endpoint(4))
    assert select_endpoints((b,), HERE).cluster.endpoints == (b,)
    assert select_endpoints((a, b), NodeFacts("node-1")).cluster.endpoints == (a, b)


def test_hints_for_this_node_come_before_those_for_the_zone():
    zone = frozenset({"zone-a"})
    a = endpoint(2, zone_hints=zone, node_hints=frozenset({"node-1"}))
    b = endpoint(3, zone_hints=zone, node_hints=frozenset({"node-2"}))

    assert select_endpoints((a, b), HERE).cluster.endpoints == (a,)
    assert select_endpoints((b,), HERE).cluster.endpoints == (b,)
