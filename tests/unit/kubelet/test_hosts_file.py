import pytest

from minikube_py.kubelet.hosts_file import kernel_hostname, render_host_network_hosts, render_hosts
from minikube_py.kubelet.pod import parse_pod

LOCAL = (
    "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
    "fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n"
)


def a_pod(name="web", **spec):
    return parse_pod({"metadata": {"name": name, "namespace": "n"}, "spec": {"containers": [], **spec}})


def test_the_file_is_what_a_real_kubelet_wrote():
    assert render_hosts(a_pod(), "10.244.0.2", "cluster.local") == f"{LOCAL}10.244.0.2\tweb\n"


def test_a_subdomain_gives_the_full_name_first():
    pod = a_pod(hostname="h", subdomain="sub")

    assert render_hosts(pod, "10.244.0.2", "d").endswith("10.244.0.2\th.sub.n.svc.d\th\n")


def test_aliases_come_last():
    pod = a_pod(hostAliases=[{"ip": "192.0.2.1", "hostnames": ["a", "b"]}])

    assert render_hosts(pod, "10.244.0.2", "d").endswith("\n\n# Entries added by HostAliases.\n192.0.2.1\ta\tb\n")


def test_the_hosts_own_file_serves_pods_in_its_network():
    text = render_host_network_hosts(a_pod(), "127.0.0.1 localhost\n")

    assert text == "# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n"


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        (a_pod(), "web"),
        (a_pod("a" * 62 + "-b"), "a" * 62),
        (a_pod(hostname="h", subdomain="s"), "h"),
        (a_pod(hostname="h", subdomain="s", setHostnameAsFQDN=True), "h.s.n.svc.d"),
        (a_pod(hostNetwork=True), "node"),
    ],
    ids=["name", "cut", "hostname", "full", "host-network"],
)
def test_the_hostname_in_the_pod(pod, expected):
    assert kernel_hostname(pod, "d", "node") == expected


def test_a_full_name_that_the_kernel_does_not_take_is_refused():
    pod = a_pod(hostname="h" * 60, subdomain="s", setHostnameAsFQDN=True)
    with pytest.raises(ValueError, match="64 characters is the max"):
        kernel_hostname(pod, "d", "node")


def test_a_host_name_that_overrides_has_no_domain():
    pod = a_pod(hostname="h", subdomain="sub", setHostnameAsFQDN=False, hostnameOverride="my.own.name")

    assert kernel_hostname(pod, "d", "node") == "my.own.name"
    assert render_hosts(pod, "10.244.0.2", "d").endswith("10.244.0.2\tmy.own.name\n")
