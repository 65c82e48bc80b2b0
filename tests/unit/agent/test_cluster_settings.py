"""What all nodes of a cluster share goes from a master's settings to a host's, which may not deny it."""

import orjson
import pytest

from minikube_py.agent.cluster_settings import render_cluster_settings, with_cluster_settings
from minikube_py.agent.errors import AgentError
from minikube_py.config import collect_settings, parse_config
from minikube_py.kit.own_address import OwnAddress

SHARED = {
    "cluster-cidr": "10.7.0.0/16",
    "service-cidr": "10.8.0.0/16",
    "cluster-dns": "10.8.0.10",
    "cluster-domain": "example.local",
    "service-node-port-range": "31000-31999",
    "disable": ["dns", "metrics"],
}


def config(**flags):
    given = {name.replace("_", "-"): value for name, value in flags.items()}
    return parse_config(collect_settings(given, {}, {}), host_name="n1", default_ip=OwnAddress("192.0.2.7", ""))


def test_a_masters_settings_are_a_hosts_settings():
    master = config(**{name.replace("-", "_"): value for name, value in SHARED.items()})
    told = orjson.loads(orjson.dumps(render_cluster_settings(master)))
    host = with_cluster_settings(config(), told)

    assert SHARED.items() <= told.items()
    assert render_cluster_settings(host) == told


def test_a_host_keeps_the_settings_that_are_its_own():
    host = with_cluster_settings(config(kubelet_port="10333"), SHARED)

    assert (host.kubelet_port, host.node_ip) == (10333, "192.0.2.7")


def test_a_flag_that_agrees_may_be_repeated():
    flags = {"cluster_domain": "example.local", "disable": ["metrics", "dns"]}

    assert with_cluster_settings(config(**flags), SHARED).cluster_domain == "example.local"


def test_each_flag_that_says_something_else_is_named():
    host = config(cluster_domain="other.local", service_node_port_range="30000-32767", disable=["dns"])

    with pytest.raises(AgentError) as caught:
        with_cluster_settings(host, SHARED)
    assert str(caught.value).splitlines() == [
        "--cluster-domain is other.local here and example.local in the cluster: leave it out",
        "--service-node-port-range is 30000-32767 here and 31000-31999 in the cluster: leave it out",
        "--disable is ['dns'] here and ['dns', 'metrics'] in the cluster: leave it out",
    ]


def test_what_a_cluster_does_not_say_stays_as_it_is():
    assert with_cluster_settings(config(cluster_domain="own.local"), {}) == config(cluster_domain="own.local")
