import pytest

from minikube_py.api.rules.core_service import SERVICE_RULES


def service(**spec):
    obj = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}], **spec}}
    SERVICE_RULES.set_defaults(obj)
    SERVICE_RULES.prepare_create(obj)
    return obj


def found(**spec):
    return [(f.field, f.reason.removeprefix("FieldValue")) for f in SERVICE_RULES.validate(service(**spec))]


@pytest.mark.parametrize(
    ("spec", "faults"),
    [
        ({}, []),
        ({"ports": [], "clusterIP": "None"}, []),
        ({"type": "ExternalName", "externalName": "a.example.com.", "ports": []}, []),
        ({"type": "ExternalName", "externalName": "A_", "ports": []}, [("spec.externalName", "Invalid")]),
        (
            {"type": "ExternalName", "externalName": "a", "clusterIP": "10.0.0.1"},
            [("spec.clusterIPs", "Forbidden")],
        ),
        ({"type": "LoadBalancer", "clusterIP": "None"}, [("spec.clusterIPs[0]", "Invalid")]),
        ({"ports": [{"name": "a", "port": 1}, {"name": "a", "port": 2}]}, [("spec.ports[1].name", "Duplicate")]),
        ({"ports": [{"port": 80, "targetPort": "a_"}]}, [("spec.ports[0].targetPort", "Invalid")]),
        ({"ports": [{"port": 80, "appProtocol": "a b"}]}, [("spec.ports[0].appProtocol", "Invalid")]),
        ({"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.2"]}, [("spec.clusterIPs", "Invalid")]),
        ({"ipFamilies": ["IPv5"]}, [("spec.ipFamilies[0]", "NotSupported")]),
        (
            {"ipFamilies": ["IPv4", "IPv4"], "ipFamilyPolicy": "PreferDualStack"},
            [("spec.ipFamilies[1]", "Duplicate")],
        ),
        ({"ipFamilies": ["IPv4", "IPv6"]}, [("spec.ipFamilyPolicy", "Invalid")]),
        ({"clusterIPs": ["10.0.0.1"]}, [("spec.clusterIPs", "Invalid")]),
        (
            {"type": "ExternalName", "externalName": "a", "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"},
            [("spec.ipFamilies", "Forbidden"), ("spec.ipFamilyPolicy", "Forbidden")],
        ),
        ({"ipFamilyPolicy": "x"}, [("spec.ipFamilyPolicy", "NotSupported")]),
        ({"externalIPs": ["1.2.3.4"]}, []),
        (
            {"externalIPs": ["x", "127.0.0.1"]},
            [("spec.externalIPs[0]", "Invalid"), ("spec.externalIPs[1]", "Invalid")],
        ),
        (
            {
                "type": "NodePort",
                "ports": [{"name": "a", "port": 1, "nodePort": 30000}, {"name": "b", "port": 2, "nodePort": 30000}],
            },
            [("spec.ports[1].nodePort", "Duplicate")],
        ),
        ({"internalTrafficPolicy": "x"}, [("spec.internalTrafficPolicy", "NotSupported")]),
        ({"type": "NodePort", "externalTrafficPolicy": "x"}, [("spec.externalTrafficPolicy", "NotSupported")]),
        ({"healthCheckNodePort": 30000}, [("spec.healthCheckNodePort", "Invalid")]),
        ({"loadBalancerClass": "a"}, [("spec.loadBalancerClass", "Forbidden")]),
        ({"trafficDistribution": "x"}, [("spec.trafficDistribution", "NotSupported")]),
    ],
    ids=str,
)
def test_each_fault_names_its_field(spec, faults):
    assert found(**spec) == faults


@pytest.mark.parametrize("ips", [[], ["10.96.0.6"]], ids=["unset", "changed"])
def test_the_first_cluster_ip_stays(ips):
    old = service(clusterIP="10.96.0.5")
    new = service(clusterIP=ips[0] if ips else "", clusterIPs=ips)

    assert [f.field for f in SERVICE_RULES.validate_update(new, old)] == ["spec.clusterIPs[0]"]


def test_a_change_of_type_may_change_the_cluster_ip():
    old = service(type="ExternalName", externalName="a")

    assert SERVICE_RULES.validate_update(service(clusterIP="10.96.0.5"), old) == ()
