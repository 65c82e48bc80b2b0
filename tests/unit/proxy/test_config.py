from minikube_py.proxy.config import ProxyConfig


def test_the_masquerade_bit_is_a_mark():
    assert ProxyConfig("node-1", masquerade_bit=14).masquerade_mark == 0x4000
