from minikube_py.network.config import NetworkConfig
from minikube_py.network.egress import plan_iptables_egress, plan_iptables_removal, render_egress, render_removal


def test_only_what_leaves_the_cluster_is_masqueraded():
    script = render_egress(NetworkConfig(pod_cidr="10.244.3.0/24", table="t"))

    assert "ip saddr 10.244.3.0/24 ip daddr != 10.244.0.0/16 ip daddr != 224.0.0.0/4 masquerade" in script


def test_the_table_is_replaced_in_one_transaction():
    lines = render_egress(NetworkConfig(table="t")).splitlines()

    assert lines[:3] == ["add table ip t", "delete table ip t", "table ip t {"]


def test_removal_works_without_a_table_too():
    assert render_removal("t") == "add table ip t\ndelete table ip t\n"


MASQUERADE = "MASQUERADE --random-fully"


def applied(script: str, hooks: tuple[str, ...] = ("-A POSTROUTING -j MKN-EGRESS",)) -> str:
    """Return what iptables-save shows after a script."""
    rules = [line for line in script.splitlines() if line.startswith("-A MKN-EGRESS")]
    return "\n".join(("*nat", ":POSTROUTING ACCEPT [0:0]", ":MKN-EGRESS - [0:0]", *hooks, *rules, "COMMIT"))


def test_the_iptables_chain_is_written_once_and_mended_when_it_differs():
    config = NetworkConfig()
    script = plan_iptables_egress("*nat\nCOMMIT\n", config, MASQUERADE)

    assert "-A MKN-EGRESS -d 10.244.0.0/16 -j RETURN" in script
    assert "-A MKN-EGRESS -s 10.244.0.0/24 -j MASQUERADE --random-fully" in script
    assert plan_iptables_egress(applied(script), config, MASQUERADE) == ""
    assert plan_iptables_egress(applied(script), config, "MASQUERADE") != ""
    unhooked = plan_iptables_egress(applied(script, ()), config, MASQUERADE)
    assert "-A POSTROUTING -j MKN-EGRESS" in unhooked


def test_removal_of_the_iptables_chain_takes_its_hooks_first():
    script = plan_iptables_egress("", NetworkConfig(), MASQUERADE)

    assert plan_iptables_removal(applied(script)).splitlines()[2:-1] == [
        "-D POSTROUTING -j MKN-EGRESS",
        "-X MKN-EGRESS",
    ]
    assert plan_iptables_removal("*nat\nCOMMIT\n") == ""
