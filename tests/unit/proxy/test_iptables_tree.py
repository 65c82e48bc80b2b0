import random

from minikube_py.proxy.iptables_tree import LEAVES_MAX, RadixTree, leaf_key


def rule(address: str, protocol: str, port: int) -> tuple[str, ...]:
    return (f"-d {address}/32 -p {protocol} -m {protocol} --dport {port} -g X",)


def fill(tree: RadixTree, keys: list[tuple[str, str, int]]) -> None:
    for key in keys:
        tree.put(leaf_key(*key), rule(*key))


def addresses(count: int) -> list[tuple[str, str, int]]:
    return [(f"10.96.{n // 250}.{n % 250}", "tcp", 80) for n in range(count)]


def test_few_leaves_stand_in_the_root_and_many_in_divided_chains():
    tree = RadixTree("T", 16)
    fill(tree, addresses(LEAVES_MAX))
    assert set(tree.chains()) == {"T"}

    fill(tree, addresses(5000))

    chains = tree.chains()
    assert max(len(rules) for rules in chains.values()) <= LEAVES_MAX
    assert sum("-g X" in rule for rules in chains.values() for rule in rules) == 5000


def test_ports_of_one_address_are_divided_by_port_range_for_each_protocol():
    tree = RadixTree("N", 32)
    fill(tree, [("", protocol, 30000 + n) for protocol in ("tcp", "udp") for n in range(100)])

    root = tree.chains()["N"]

    assert any(rule.startswith("-p udp -m udp --dport 28672:32767 -g N-") for rule in root)
    assert max(len(rules) for rules in tree.chains().values()) <= 2 * LEAVES_MAX


def test_one_address_with_many_protocols_on_the_same_port_is_not_divided_for_ever():
    tree = RadixTree("N", 32)
    for n in range(LEAVES_MAX + 5):
        tree.put(leaf_key("", f"p{n}", 80), (f"rule {n}",))

    assert sum(rule.startswith("rule") for rules in tree.chains().values() for rule in rules) == LEAVES_MAX + 5


def test_the_shape_depends_on_the_leaves_alone_and_the_touched_chains_tell_every_difference():
    rng = random.Random(7)
    tree, mirror = RadixTree("T", 16), {}
    present: set[tuple[str, str, int]] = set()
    pool = [(f"10.96.0.{a}", p, port) for a in range(40) for p in ("tcp", "udp") for port in (53, 80, 443)]
    for _ in range(150):
        for key in rng.sample(pool, 5):
            if key in present:
                tree.put(leaf_key(*key), ())
                present.discard(key)
            else:
                fill(tree, [key])
                present.add(key)
        for name, rules in tree.take_touched().items():
            if rules is None:
                mirror.pop(name, None)
            else:
                mirror[name] = rules
        fresh = RadixTree("T", 16)
        fill(fresh, sorted(present))
        assert mirror == tree.chains() == fresh.chains()


def test_a_changed_leaf_touches_only_its_own_path():
    tree = RadixTree("T", 16)
    fill(tree, addresses(5000))
    tree.take_touched()

    tree.put(leaf_key("10.96.3.7", "tcp", 80), ("-d 10.96.3.7/32 -g Y",))

    assert len(tree.take_touched()) == 1
