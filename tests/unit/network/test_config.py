from minikube_py.network.config import NetworkConfig


def test_the_gateway_is_the_first_address_of_the_pod_cidr():
    config = NetworkConfig(pod_cidr="10.244.3.0/24")

    assert (config.gateway, config.prefix_length) == ("10.244.3.1", 24)
