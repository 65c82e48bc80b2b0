from minikube_py.kubelet.service_environment import service_environment


def a_service(name, namespace="n", ip="10.96.0.20", ports=(("web", 80, "TCP"), ("dns", 53, "UDP"))):
    spec = {"clusterIP": ip, "ports": [{"name": n, "port": p, "protocol": proto} for n, p, proto in ports]}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


MASTER = a_service("kubernetes", "default", "10.96.0.1", (("https", 443, "TCP"),))


def test_a_service_gives_the_variables_that_a_real_kubelet_gave():
    assert dict(service_environment("n", [a_service("obs-svc")], service_links=True)) == {
        "OBS_SVC_PORT": "tcp://10.96.0.20:80",
        "OBS_SVC_PORT_53_UDP": "udp://10.96.0.20:53",
        "OBS_SVC_PORT_53_UDP_ADDR": "10.96.0.20",
        "OBS_SVC_PORT_53_UDP_PORT": "53",
        "OBS_SVC_PORT_53_UDP_PROTO": "udp",
        "OBS_SVC_PORT_80_TCP": "tcp://10.96.0.20:80",
        "OBS_SVC_PORT_80_TCP_ADDR": "10.96.0.20",
        "OBS_SVC_PORT_80_TCP_PORT": "80",
        "OBS_SVC_PORT_80_TCP_PROTO": "tcp",
        "OBS_SVC_SERVICE_HOST": "10.96.0.20",
        "OBS_SVC_SERVICE_PORT": "80",
        "OBS_SVC_SERVICE_PORT_DNS": "53",
        "OBS_SVC_SERVICE_PORT_WEB": "80",
    }


def test_the_api_server_is_there_even_without_service_links():
    found = service_environment("n", [a_service("mine"), MASTER], service_links=False)

    assert found["KUBERNETES_SERVICE_HOST"] == "10.96.0.1"
    assert not any(name.startswith("MINE") for name in found)


def test_services_of_other_namespaces_and_headless_ones_give_nothing():
    services = [a_service("other", "elsewhere"), a_service("headless", ip="None")]

    assert service_environment("n", services, service_links=True) == {}


def test_a_services_own_namespace_comes_before_the_api_server():
    own = a_service("kubernetes", "n", "10.96.0.99")

    for services in ([own, MASTER], [MASTER, own]):
        found = service_environment("n", services, service_links=True)
        assert found["KUBERNETES_SERVICE_HOST"] == "10.96.0.99"
