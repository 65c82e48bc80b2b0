import pytest

from minikube_py.api.meta import copy_object
from minikube_py.api.rules.core_service import SERVICE_RULES


def service(**spec):
    obj = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}], **spec}}
    SERVICE_RULES.set_defaults(obj)
    SERVICE_RULES.prepare_create(obj)
    return obj


def test_an_update_keeps_the_policy_for_families_and_falls_back_to_one_when_asked():
    old = service(clusterIP="None")
    for asked, families in (({}, ["IPv4", "IPv6"]), ({"ipFamilyPolicy": "SingleStack"}, ["IPv4"])):
        new = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}], "ipFamilies": ["IPv4", "IPv6"], **asked}}
        SERVICE_RULES.set_defaults(new)
        SERVICE_RULES.prepare_update(new, old)
        assert new["spec"]["ipFamilies"] == families
        assert new["spec"]["ipFamilyPolicy"] == asked.get("ipFamilyPolicy", "RequireDualStack")


def test_a_service_that_is_no_load_balancer_any_more_forgets_its_addresses():
    old = service(type="LoadBalancer")
    new = {**copy_object(old), "status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}}
    new["spec"]["type"] = "NodePort"
    SERVICE_RULES.prepare_update(new, old)
    assert new["status"] == {"loadBalancer": {}}


@pytest.mark.parametrize(
    ("spec", "families", "policy"),
    [
        ({}, ["IPv4"], "SingleStack"),
        ({"clusterIP": "fd00::1"}, ["IPv6"], "SingleStack"),
        ({"clusterIP": "None", "selector": {"a": "b"}}, ["IPv4"], "SingleStack"),
        ({"clusterIP": "None"}, ["IPv4", "IPv6"], "RequireDualStack"),
        ({"clusterIP": "None", "ipFamilies": ["IPv6"]}, ["IPv6", "IPv4"], "RequireDualStack"),
        ({"clusterIP": "None", "ipFamilyPolicy": "SingleStack"}, ["IPv4"], "SingleStack"),
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
