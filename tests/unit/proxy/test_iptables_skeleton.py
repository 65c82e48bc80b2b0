from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.iptables_skeleton import HOOKS, dispatch_trees, fixed_chains


def test_every_chain_that_is_led_to_exists():
    config = ProxyConfig("node-1")
    for table, chains in fixed_chains(config, "MASQUERADE").items():
        known = {*chains, *dispatch_trees(config)[table]}
        rules = [rule for rules in chains.values() for rule in rules] + [rule for _, rule in HOOKS[table]]
        targets = {word for rule in rules for word in rule.split() if word.startswith("MKP-")}

        assert targets <= known
        assert known - targets <= {"MKP-REJECT"}


def test_addresses_that_this_host_serves_itself_are_left_alone_first():
    chains = fixed_chains(ProxyConfig("node-1", node_local_vips=("10.96.0.10",)), "MASQUERADE")

    assert chains["nat"]["MKP-SERVICES"][0] == chains["filter"]["MKP-REFUSE"][0] == "-d 10.96.0.10/32 -j RETURN"


def test_the_mark_is_cleared_before_the_masquerade():
    rules = fixed_chains(ProxyConfig("node-1", masquerade_bit=15), "MASQUERADE --random-fully")["nat"]["MKP-POST"]

    assert rules[1:] == (
        "-m mark ! --mark 0x8000/0x8000 -j RETURN",
        "-j MARK --set-xmark 0x8000/0x0",
        "-j MASQUERADE --random-fully",
    )
