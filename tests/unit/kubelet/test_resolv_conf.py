import pytest

from minikube_py.kubelet.pod import parse_pod
from minikube_py.kubelet.resolv_conf import (
    ResolvConf,
    compute_resolv_conf,
    parse_resolv_conf,
    render_resolv_conf,
    resolv_conf_notes,
)

HOST = ResolvConf(("192.0.2.53",), ("example.com",), ("rotate",))
CLUSTER = ("10.96.0.10",)
OWN = "n.svc.cluster.local svc.cluster.local cluster.local"


def a_pod(**spec):
    return parse_pod({"metadata": {"name": "p", "namespace": "n", "uid": "u"}, "spec": {"containers": [], **spec}})


def text_of(**spec):
    pod = parse_pod({"metadata": {"namespace": "n"}, "spec": {"containers": [], **spec}})
    return render_resolv_conf(compute_resolv_conf(pod, HOST, CLUSTER, "cluster.local"))


CLUSTER_TEXT = f"nameserver 10.96.0.10\nsearch {OWN} example.com\noptions ndots:5\n"
HOST_TEXT = "nameserver 192.0.2.53\nsearch example.com\noptions rotate\n"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, CLUSTER_TEXT),
        ({"dnsPolicy": "Default"}, HOST_TEXT),
        ({"hostNetwork": True}, HOST_TEXT),
        ({"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"}, CLUSTER_TEXT),
        (
            {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["192.0.2.1"], "options": [{"name": "edns0"}]}},
            "nameserver 192.0.2.1\noptions edns0\n",
        ),
        (
            {
                "dnsConfig": {
                    "nameservers": ["192.0.2.1"],
                    "searches": ["a.example"],
                    "options": [{"name": "ndots", "value": "2"}, {"name": "timeout", "value": "1"}],
                }
            },
            f"nameserver 10.96.0.10\nnameserver 192.0.2.1\nsearch {OWN} example.com a.example\n"
            "options ndots:2 timeout:1\n",
        ),
    ],
    ids=["cluster-first", "default", "host-network", "host-network-cluster", "none", "merged"],
)
def test_the_policy_decides(spec, expected):
    assert text_of(**spec) == expected


def test_limits_of_the_resolver_hold():
    config = {"nameservers": [f"192.0.2.{n}" for n in range(9)], "searches": [f"d{n}.example" for n in range(50)]}
    conf = parse_resolv_conf(text_of(dnsPolicy="None", dnsConfig=config))

    assert len(conf.nameservers) == 3
    assert len(conf.searches) == 32


def test_parse_is_the_inverse_of_render():
    assert parse_resolv_conf(render_resolv_conf(HOST)) == HOST


def test_comments_are_skipped_and_the_last_search_line_counts():
    text = "# x\n; y\nnameserver 192.0.2.1\nsearch a.example\nsearch b.example. .\n"

    assert parse_resolv_conf(text) == ResolvConf(("192.0.2.1",), ("b.example", "."))


def test_what_is_left_out_is_worth_an_event():
    searches = [f"{n}.example" for n in range(40)]
    pod = a_pod(dnsPolicy="None", dnsConfig={"nameservers": ["1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"]})

    ((reason, message),) = resolv_conf_notes(pod, HOST, CLUSTER, "cluster.local")
    assert (reason, message) == (
        "DNSConfigForming",
        "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: "
        "1.1.1.1 2.2.2.2 3.3.3.3",
    )
    ((reason, message),) = resolv_conf_notes(a_pod(dnsConfig={"searches": searches}), HOST, CLUSTER, "cluster.local")
    assert message.startswith("Search Line limits were exceeded")


def test_a_node_without_cluster_dns_says_so():
    ((reason, message),) = resolv_conf_notes(a_pod(), HOST, (), "cluster.local")

    assert reason == "MissingClusterDNS"
    assert message.endswith('cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.')
    assert not resolv_conf_notes(a_pod(dnsPolicy="Default"), HOST, (), "cluster.local")
