from minikube_py.kubelet.config import KubeletConfig, with_fast_timers

CONFIG = KubeletConfig(node_name="n", node_ip="192.0.2.1", root_dir="/data", pod_logs_dir="/logs")


def test_paths_are_upstreams():
    assert CONFIG.pod_dir("u") == "/data/pods/u"
    assert CONFIG.log_path("ns", "p", "u", "c", 3) == "/logs/ns_p_u/c/3.log"


def test_fast_timers_change_how_often_and_not_what_pods_are_promised():
    fast = with_fast_timers(CONFIG)

    assert fast.lease_renew_s < CONFIG.lease_renew_s
    assert fast.sync_frequency_s < CONFIG.sync_frequency_s
    assert (fast.endpoint_drain_s, fast.lease_duration_s) == (CONFIG.endpoint_drain_s, CONFIG.lease_duration_s)
