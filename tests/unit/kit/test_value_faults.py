from ipaddress import IPv4Address, IPv4Network

from minikube_py.kit.value_faults import ValueFaults


def test_a_mode_is_the_same_however_yaml_reads_it():
    faults = ValueFaults()

    assert [faults.mode("mode", value) for value in ("0600", "600", 0o600)] == [0o600] * 3
    assert faults.lines == []


def test_one_text_is_a_list_of_one():
    assert ValueFaults().many("tls-san", "a") == ("a",)
    assert ValueFaults().many("tls-san", ["a", 1]) == ("a", "1")


def test_all_that_is_wrong_is_collected_and_counts_as_the_fallback():
    faults = ValueFaults()

    assert faults.address("node-ip", "one", "127.0.0.1") == IPv4Address("127.0.0.1")
    assert faults.many("disable", ["dns", "x"], ("dns",)) == ("dns", "x")
    assert faults.port_range("ports", "9-1") == range(1, 2)
    assert faults.network("cluster-cidr", "10", "10.244.0.0/16") == IPv4Network("10.244.0.0/16")
    assert [line.partition(":")[0] for line in faults.lines] == [
        "--node-ip",
        "--disable",
        "--ports",
        "--cluster-cidr",
    ]
    assert "give an address such as " in faults.lines[0]
    assert faults.lines[3].endswith("give a range such as 10.244.0.0/16")
    assert "'x' is not one of dns" in faults.lines[1]
