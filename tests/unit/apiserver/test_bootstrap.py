from minikube_py.apiserver.bootstrap import first_objects, kubernetes_service_ip
from minikube_py.apiserver.config import ApiServerConfig

CONFIG = ApiServerConfig(
    advertise_address="192.0.2.7", service_cluster_ip_range="10.50.0.0/16", cluster_dns="10.50.0.10"
)


def _by_name(config):
    return {(f.resource.plural, f.obj["metadata"]["name"]): f for f in first_objects(config)}


def test_namespaces_come_before_what_lives_in_them():
    kinds = [first.resource.plural for first in first_objects(CONFIG)]
    assert kinds[:4] == ["namespaces"] * 4
    assert "namespaces" not in kinds[4:]


def test_the_kubernetes_service_leads_to_this_server():
    objects = _by_name(CONFIG)
    service = objects["services", "kubernetes"].obj["spec"]
    endpoints = objects["endpoints", "kubernetes"]
    slice_ = objects["endpointslices", "kubernetes"]
    assert (service["clusterIP"], service["ports"][0]["port"]) == (kubernetes_service_ip(CONFIG), 443)
    assert kubernetes_service_ip(CONFIG) == "10.50.0.1"
    assert endpoints.obj["subsets"][0]["addresses"] == [{"ip": "192.0.2.7"}]
    assert slice_.obj["endpoints"][0]["addresses"] == ["192.0.2.7"]
    assert slice_.obj["ports"][0]["port"] == 6443
    assert endpoints.follow
    assert slice_.follow


def test_the_dns_service_has_the_address_that_pods_are_told():
    dns = _by_name(CONFIG)["services", "kube-dns"].obj
    assert dns["spec"]["clusterIP"] == "10.50.0.10"
    assert {(p["port"], p["protocol"]) for p in dns["spec"]["ports"]} == {(53, "UDP"), (53, "TCP")}
    assert dns["metadata"]["labels"]["k8s-app"] == "kube-dns"
    assert "selector" not in dns["spec"]


def test_without_cluster_dns_there_is_no_dns_service():
    assert ("services", "kube-dns") not in _by_name(ApiServerConfig(cluster_dns=""))
