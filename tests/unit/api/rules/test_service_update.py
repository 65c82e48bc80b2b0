import pytest

from minikube_py.api.meta import copy_object
from minikube_py.api.rules.core_service import SERVICE_RULES

IP = "10.96.0.5"
TWO_PORTS = ({"name": "a", "port": 80}, {"name": "b", "port": 81})


def stored(**spec):
    """Return a Service as it stands after the API server gave it an address and ports."""
    obj = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}], **copy_object(spec)}}
    SERVICE_RULES.set_defaults(obj)
    SERVICE_RULES.prepare_create(obj)
    if obj["spec"]["type"] != "ExternalName":
        obj["spec"].setdefault("clusterIP", IP)
        obj["spec"].setdefault("clusterIPs", [obj["spec"]["clusterIP"]])
    if obj["spec"]["type"] in ("NodePort", "LoadBalancer"):
        for number, port in enumerate(obj["spec"]["ports"], 30001):
            port["nodePort"] = number
    return obj


def update(old, sent):
    """Return the new spec and the fields with faults."""
    new = {"metadata": {"name": "s"}, "spec": copy_object(sent)}
    SERVICE_RULES.set_defaults(new)
    SERVICE_RULES.prepare_update(new, old)
    return new["spec"], [fault.field for fault in SERVICE_RULES.validate_update(new, old)]


def patched(old, **changes):
    """Return what a client makes of the stored spec; None takes a field away."""
    return {field: value for field, value in {**old["spec"], **changes}.items() if value is not None}


@pytest.mark.parametrize(
    "changes",
    [
        {"clusterIP": None},
        {"clusterIPs": None},
        {"clusterIP": None, "clusterIPs": None},
        {"clusterIP": ""},
        {"clusterIPs": []},
        {"clusterIP": "", "clusterIPs": []},
        {"ipFamilies": None, "ipFamilyPolicy": None},
    ],
    ids=str,
)
def test_an_address_that_is_left_out_or_taken_away_stays(changes):
    old = stored()

    assert update(old, patched(old, **changes)) == (old["spec"], [])


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"clusterIP": "10.96.0.6"}, ["spec.clusterIPs[0]"]),
        ({"clusterIP": "10.96.0.6", "clusterIPs": None}, ["spec.clusterIPs[0]"]),
        ({"clusterIP": "None"}, ["spec.clusterIPs[0]"]),
        ({"clusterIPs": ["10.96.0.6"]}, ["spec.clusterIPs[0]", "spec.clusterIPs"]),
        ({"clusterIP": None, "clusterIPs": ["10.96.0.6"]}, ["spec.clusterIPs[0]", "spec.clusterIPs"]),
    ],
    ids=str,
)
def test_an_address_does_not_change(changes, faults):
    old = stored()

    assert sorted(update(old, patched(old, **changes))[1]) == sorted(faults)


def test_a_headless_service_stays_headless():
    old = stored(clusterIP="None", selector={"a": "b"})

    assert update(old, patched(old, clusterIP=None))[0]["clusterIPs"] == ["None"]
    assert update(old, patched(old, clusterIP=IP))[1] == ["spec.clusterIPs[0]"]


def test_node_ports_stay_with_the_names_of_their_ports():
    old = stored(type="NodePort", ports=TWO_PORTS)
    sent = {"type": "NodePort", "ports": [{"name": "b", "port": 90}, {"name": "a", "port": 80, "protocol": "UDP"}]}

    ports = update(old, sent)[0]["ports"]

    assert [(port["name"], port["nodePort"]) for port in ports] == [("b", 30002), ("a", 30001)]


def test_a_node_port_that_another_port_now_asks_for_is_not_kept():
    old = stored(type="NodePort", ports=TWO_PORTS)
    sent = {"type": "NodePort", "ports": [{"name": "a", "port": 80, "nodePort": 30002}, {"name": "b", "port": 81}]}

    assert "nodePort" not in update(old, sent)[0]["ports"][1]


@pytest.mark.parametrize("port", [{"healthCheckNodePort": None}, {"healthCheckNodePort": 0}], ids=str)
def test_the_port_for_health_checks_stays_while_it_is_needed(port):
    old = stored(type="LoadBalancer", externalTrafficPolicy="Local")
    old["spec"]["healthCheckNodePort"] = 30009

    assert update(old, patched(old, **port))[0]["healthCheckNodePort"] == 30009
    spec, faults = update(old, patched(old, externalTrafficPolicy="Cluster"))
    assert "healthCheckNodePort" not in spec
    assert faults == []


def test_becoming_an_external_name_drops_the_address_and_the_families():
    old = stored()
    spec, faults = update(old, patched(old, type="ExternalName", externalName="a.example.com"))

    assert {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"} & set(spec) == set()
    assert faults == []


def test_what_changes_together_with_the_type_is_refused():
    old = stored(type="NodePort")
    name = {"type": "ExternalName", "externalName": "a.example.com", "ports": []}
    port = [{"port": 80, "nodePort": 30007}]

    assert update(old, patched(old, **name, clusterIPs=["10.96.0.6"]))[1] == ["spec.clusterIPs", "spec.clusterIPs"]
    assert update(old, patched(old, **name, ipFamilies=["IPv6"]))[1] == ["spec.ipFamilies"]
    assert update(old, patched(old, type="ClusterIP", ports=port))[1] == ["spec.ports[0].nodePort"]


def test_becoming_a_service_with_an_address_takes_the_one_that_is_asked_for():
    old = stored(type="ExternalName", externalName="a.example.com")
    spec, faults = update(old, {"type": "ClusterIP", "ports": [{"port": 80}], "clusterIP": IP})

    assert (spec["clusterIPs"], faults) == ([IP], [])


def test_becoming_a_cluster_ip_drops_node_ports_and_policies():
    old = stored(type="LoadBalancer", loadBalancerClass="example.com/a")
    spec, faults = update(old, patched(old, type="ClusterIP"))

    assert "nodePort" not in spec["ports"][0]
    assert {"externalTrafficPolicy", "allocateLoadBalancerNodePorts", "loadBalancerClass"} & set(spec) == set()
    assert (spec["clusterIP"], faults) == (IP, [])
