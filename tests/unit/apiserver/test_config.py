from minikube_py.apiserver.config import ApiServerConfig


def test_the_cluster_reaches_the_port_that_is_listened_on_unless_told_otherwise():
    assert ApiServerConfig(secure_port=7443).reachable_port == 7443
    assert ApiServerConfig(secure_port=0, advertise_port=6443).reachable_port == 6443
