from minikube_py.proxy.chains import ChainSpec
from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.iptables_rules import EntryTargets, entry_chain, entry_chains, entry_rules

CONFIG = ProxyConfig("node-1")
KEY = ("10.96.0.20", "tcp", 80)
TARGETS = tuple((f"10.244.0.{n}", 8080) for n in (2, 3, 4))


def test_each_endpoint_gets_an_equal_share_and_the_last_takes_what_is_left():
    (rules,) = entry_chains(KEY, EntryTargets(ChainSpec("cluster", 3), TARGETS), CONFIG).values()

    assert rules == (
        "-p tcp -m statistic --mode random --probability 0.33333333349 -j DNAT --to-destination 10.244.0.2:8080",
        "-p tcp -m statistic --mode random --probability 0.50000000000 -j DNAT --to-destination 10.244.0.3:8080",
        "-p tcp -j DNAT --to-destination 10.244.0.4:8080",
    )


def test_affinity_asks_all_lists_before_it_draws_and_writes_the_client_into_one():
    (rules,) = entry_chains(KEY, EntryTargets(ChainSpec("cluster", 3, affinity_s=60), TARGETS), CONFIG).values()

    assert all("--update --seconds 60 --reap" in rule and "statistic" not in rule for rule in rules[:3])
    assert all("-m recent --set" in rule for rule in rules[3:])
    lists = [rule.split("--name ")[1].split()[0] for rule in rules]
    assert lists[:3] == lists[3:]
    assert len(set(lists)) == 3


def test_the_local_policy_sends_pods_and_this_host_everywhere_and_others_to_this_node():
    targets = EntryTargets(ChainSpec("external", 3, local=1), TARGETS, TARGETS[:1])
    chains = entry_chains(KEY, targets, CONFIG)
    everywhere = next(name for name in chains if name != entry_chain(KEY))

    assert chains[entry_chain(KEY)] == (
        f"-s 10.244.0.0/16 -g {everywhere}",
        "-m addrtype --src-type LOCAL -j MARK --set-xmark 0x4000/0x4000",
        f"-m addrtype --src-type LOCAL -g {everywhere}",
        "-p tcp -j DNAT --to-destination 10.244.0.2:8080",
    )


def test_a_restricted_entry_has_a_leaf_for_each_network():
    chain = entry_chain(KEY)
    match = "-d 10.96.0.20/32 -p tcp -m tcp --dport 80"

    assert entry_rules(KEY, ["192.0.2.0/24", "0.0.0.0/0"], restricted=True) == (
        f"{match} -g {chain}",
        f"-s 192.0.2.0/24 {match} -g {chain}",
    )
    assert entry_rules(KEY, [], restricted=True) == ()
    assert entry_rules(KEY[1:], [], restricted=False) == (f"-p tcp -m tcp --dport 80 -g {entry_chain(KEY[1:])}",)
