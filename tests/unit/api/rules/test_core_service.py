import pytest

from minikube_py.api.meta import copy_object
from minikube_py.api.rules.core_service import SERVICE_RULES


def service(**spec):
    obj = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}], **spec}}
    SERVICE_RULES.set_defaults(obj)
    SERVICE_RULES.prepare_create(obj)
    return obj


def stored(**spec):
    """Return a Service as it stands after the API server gave it an address and ports."""
    obj = service(**spec)
    if obj["spec"]["type"] != "ExternalName":
        obj["spec"].setdefault("clusterIP", "10.96.0.5")
        obj["spec"].setdefault("clusterIPs", [obj["spec"]["clusterIP"]])
    if obj["spec"]["type"] in ("NodePort", "LoadBalancer"):
        for number, port in enumerate(obj["spec"]["ports"], 30001):
            port["nodePort"] = number
    return obj


def updated(old, **spec):
    new = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}], **spec}}
    SERVICE_RULES.set_defaults(new)
    SERVICE_RULES.prepare_update(new, old)
    assert SERVICE_RULES.validate_update(new, old) == ()
    return new["spec"]


def test_an_update_without_the_address_keeps_it():
    assert updated(stored())["clusterIPs"] == ["10.96.0.5"]


def test_an_address_that_is_taken_away_stays_and_one_that_changes_is_what_validation_is_for():
    assert updated(stored(), clusterIPs=["10.96.0.5"])["clusterIP"] == "10.96.0.5"
    assert updated(stored(), clusterIP="")["clusterIPs"] == ["10.96.0.5"]
    new = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}], "clusterIP": "10.96.0.6"}}
    SERVICE_RULES.set_defaults(new)
    SERVICE_RULES.prepare_update(new, stored())
    assert [fault.field for fault in SERVICE_RULES.validate_update(new, stored())] == ["spec.clusterIPs[0]"]


def test_an_update_without_node_ports_keeps_them():
    assert updated(stored(type="NodePort"), type="NodePort")["ports"][0]["nodePort"] == 30001


def test_a_node_port_that_another_port_now_asks_for_is_not_kept():
    ports = [{"name": "a", "port": 81, "nodePort": 30001}, {"name": "b", "port": 80}]

    assert "nodePort" not in updated(stored(type="NodePort"), type="NodePort", ports=ports)["ports"][1]


def test_becoming_an_external_name_drops_the_address():
    old = stored()
    sent = {**copy_object(old["spec"]), "type": "ExternalName", "externalName": "a.example.com"}
    spec = updated(old, **sent)

    assert {"clusterIP", "clusterIPs", "ipFamilies", "internalTrafficPolicy"} & set(spec) == set()


def test_becoming_a_cluster_ip_drops_node_ports_and_policies():
    old = stored(type="LoadBalancer")
    sent = {**copy_object(old["spec"]), "type": "ClusterIP"}
    spec = updated(old, **sent)

    assert "nodePort" not in spec["ports"][0]
    assert {"externalTrafficPolicy", "allocateLoadBalancerNodePorts"} & set(spec) == set()
    assert spec["clusterIP"] == "10.96.0.5"


@pytest.mark.parametrize(
    ("spec", "families", "policy"),
    [
        ({}, ["IPv4"], "SingleStack"),
        ({"clusterIP": "fd00::1"}, ["IPv6"], "SingleStack"),
        ({"clusterIP": "None", "selector": {"a": "b"}}, ["IPv4"], "SingleStack"),
        ({"clusterIP": "None"}, ["IPv4", "IPv6"], "RequireDualStack"),
        ({"ipFamilyPolicy": "PreferDualStack"}, ["IPv4"], "PreferDualStack"),
    ],
    ids=str,
)
def test_address_families_are_said(spec, families, policy):
    result = service(**spec)["spec"]

    assert (result["ipFamilies"], result["ipFamilyPolicy"]) == (families, policy)


def test_affinity_settings_go_with_client_ip_only():
    none = service(sessionAffinity="None", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 5}})["spec"]
    client = service(sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 5}})["spec"]

    assert "sessionAffinityConfig" not in none
    assert client["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 5}}


def test_a_named_target_port_stays():
    assert service(ports=[{"port": 80, "targetPort": "http"}])["spec"]["ports"][0]["targetPort"] == "http"
