from minikube_py.network.links import (
    NAME_BYTES_MAX,
    PodLinkRecord,
    bridge_alias,
    host_end_name,
    mac_of,
    parse_bridge_alias,
    parse_pod_alias,
    plan_pod_link,
)

UID = "3f0c9a52-6f2e-4a9e-9a5c-0d2f5b8f1c11"


def test_names_fit_the_kernel_and_differ():
    names = {host_end_name(f"uid-{n}") for n in range(1000)}

    assert len(names) == 1000
    assert all(len(name) == NAME_BYTES_MAX and name.startswith("veth") for name in names)


def test_the_mac_is_made_of_the_address():
    assert mac_of("10.244.0.5") == "0a:58:0a:f4:00:05"


def test_the_alias_tells_pod_and_address():
    plan = plan_pod_link(UID, "10.244.0.5")

    assert parse_pod_alias(plan.alias) == PodLinkRecord(UID, "10.244.0.5")


def test_a_foreign_alias_is_nobody():
    for alias in (None, "", "uplink", "minikube-py pod", bridge_alias("10.244.0.5")):
        assert parse_pod_alias(alias) is None


def test_the_bridge_remembers_where_round_robin_stood():
    assert parse_bridge_alias(bridge_alias("10.244.0.9")) == "10.244.0.9"
    assert parse_bridge_alias(None) is None
    assert parse_bridge_alias("somebody's bridge") is None
