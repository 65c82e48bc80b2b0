from minikube_py.kubelet.config import KubeletConfig

CONFIG = KubeletConfig(node_name="n", node_ip="192.0.2.1", root_dir="/data", pod_logs_dir="/logs")


def test_paths_are_upstreams():
    assert CONFIG.pod_dir("u") == "/data/pods/u"
    assert CONFIG.log_path("ns", "p", "u", "c", 3) == "/logs/ns_p_u/c/3.log"
