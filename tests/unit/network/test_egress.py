from minikube_py.network.config import NetworkConfig
from minikube_py.network.egress import render_egress, render_removal


def test_only_what_leaves_the_cluster_is_masqueraded():
    script = render_egress(NetworkConfig(pod_cidr="10.244.3.0/24", table="t"))

    assert "ip saddr 10.244.3.0/24 ip daddr != 10.244.0.0/16 ip daddr != 224.0.0.0/4 masquerade" in script


def test_the_table_is_replaced_in_one_transaction():
    lines = render_egress(NetworkConfig(table="t")).splitlines()

    assert lines[:3] == ["add table ip t", "delete table ip t", "table ip t {"]


def test_removal_works_without_a_table_too():
    assert render_removal("t") == "add table ip t\ndelete table ip t\n"
