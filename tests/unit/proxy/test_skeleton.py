from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.ruleset import MAPS
from minikube_py.proxy.skeleton import mark_chain, render_skeleton


def test_the_skeleton_declares_every_map_before_a_rule_uses_it():
    lines = render_skeleton(ProxyConfig("node-1"))

    first_rule = next(n for n, line in enumerate(lines) if line.startswith("add rule"))
    declared = {line.split()[4] for line in lines[:first_rule] if line.split()[1] in {"map", "set"}}
    assert declared == MAPS.keys()


def test_the_mark_names_the_settings_it_was_made_for():
    marks = {
        mark_chain(config)
        for config in (
            ProxyConfig("node-1"),
            ProxyConfig("node-1", service_cidr="10.97.0.0/16"),
            ProxyConfig("node-1", service_networks=("10.96.0.0/16", "10.200.0.0/24")),
            ProxyConfig("node-1", cluster_cidr="10.245.0.0/16"),
            ProxyConfig("node-1", node_local_vips=()),
            ProxyConfig("node-1", masquerade_bit=15),
        )
    }

    assert len(marks) == 6
    assert render_skeleton(ProxyConfig("node-1"))[-1].endswith(mark_chain(ProxyConfig("node-2")))


def test_addresses_served_by_the_host_pass_before_any_rule():
    lines = render_skeleton(ProxyConfig("node-1", node_local_vips=("10.96.0.10", "10.96.0.11")))

    for chain in ("dispatch", "refuse"):
        first = next(line for line in lines if line.startswith(f"add rule ip minikube-py {chain} "))
        assert first.endswith("ip daddr { 10.96.0.10, 10.96.0.11 } return")


def test_addresses_of_every_range_are_masqueraded_for_others_and_dropped_when_nobody_has_them():
    lines = render_skeleton(ProxyConfig("node-1", service_networks=("10.96.0.0/16", "10.200.0.0/24")))

    both = "ip daddr { 10.96.0.0/16, 10.200.0.0/24 }"
    assert [line.partition(both)[2] for line in lines if both in line] == [
        " ip saddr != 10.244.0.0/16 meta mark set mark or 0x4000",
        " drop",
    ]


def test_the_one_range_of_a_cluster_is_the_same_however_it_is_told():
    assert mark_chain(ProxyConfig("node-1", service_networks=("10.96.0.0/16",))) == mark_chain(ProxyConfig("node-1"))
