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


def test_further_ranges_are_masqueraded_and_dropped_like_the_first_and_found_like_external_addresses():
    one = fixed_chains(ProxyConfig("node-1"), "MASQUERADE")
    two = fixed_chains(ProxyConfig("node-1", service_networks=("10.96.0.0/16", "10.200.0.0/24")), "MASQUERADE")

    marks = [rule for rule in two["nat"]["MKP-SERVICES"] if rule not in one["nat"]["MKP-SERVICES"]]
    assert marks == ["! -s 10.244.0.0/16 -d 10.200.0.0/24 -j MARK --set-xmark 0x4000/0x4000"]
    refusals = [rule for rule in two["filter"]["MKP-REFUSE"] if rule not in one["filter"]["MKP-REFUSE"]]
    assert refusals == ["-d 10.200.0.0/24 -j MKP-I", "-d 10.200.0.0/24 -j DROP"]
    places = [two["filter"]["MKP-REFUSE"].index(rule) for rule in ("-j MKP-RE", *refusals)]
    assert places == sorted(places), "a Service without endpoints is refused as it wants before the range is dropped"


def test_the_one_range_of_a_cluster_makes_the_same_chains_however_it_is_told():
    told = ProxyConfig("node-1", service_networks=("10.96.0.0/16",))

    assert fixed_chains(told, "MASQUERADE") == fixed_chains(ProxyConfig("node-1"), "MASQUERADE")
