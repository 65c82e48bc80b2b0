from minikube_py.apiserver.config import ApiServerConfig, with_fast_timers


def test_the_cluster_reaches_the_port_that_is_listened_on_unless_told_otherwise():
    assert ApiServerConfig(secure_port=7443).reachable_port == 7443
    assert ApiServerConfig(secure_port=0, advertise_port=6443).reachable_port == 6443


def test_fast_timers_shorten_how_long_pods_wait_for_a_node_that_is_gone():
    fast = with_fast_timers(ApiServerConfig())

    assert fast.default_unreachable_toleration_s < ApiServerConfig().default_unreachable_toleration_s == 300
    assert fast.default_not_ready_toleration_s < ApiServerConfig().default_not_ready_toleration_s == 300
