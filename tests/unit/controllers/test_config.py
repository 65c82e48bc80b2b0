from minikube_py.controllers.config import ControllersConfig, with_fast_periods

CONFIG = ControllersConfig(root_ca_pem="")


def test_a_node_is_given_up_when_upstream_would():
    assert (CONFIG.node_monitor_grace_period_s, CONFIG.node_startup_grace_period_s) == (50.0, 60.0)
    assert CONFIG.look_every_s == 5.0


def test_fast_timers_look_more_often_so_that_a_short_grace_period_is_kept():
    fast = with_fast_periods(CONFIG)

    assert fast.node_monitor_grace_period_s < CONFIG.node_monitor_grace_period_s
    assert fast.look_every_s == fast.node_monitor_grace_period_s / 4
