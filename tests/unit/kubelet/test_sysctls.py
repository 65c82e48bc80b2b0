import pytest

from minikube_py.kubelet.pod import parse_pod
from minikube_py.kubelet.sysctls import check_sysctls, pattern_fault


def a_pod(name, **spec):
    security = {"sysctls": [{"name": name, "value": "1"}]}
    return parse_pod({"metadata": {"name": "p"}, "spec": {"containers": [], "securityContext": security, **spec}})


@pytest.mark.parametrize(
    ("pod", "allowed", "why"),
    [
        (a_pod("net.ipv4.tcp_syncookies"), (), ""),
        (a_pod("net/ipv4/tcp_syncookies"), (), ""),
        (a_pod("net.core.somaxconn"), (), 'forbidden sysctl: "net.core.somaxconn" not allowlisted'),
        (a_pod("net.core.somaxconn"), ("net.core.*",), ""),
        (a_pod("net.core.somaxconn"), ("net.core.somax",), 'forbidden sysctl: "net.core.somaxconn" not allowlisted'),
        (
            a_pod("net.ipv4.tcp_rmem", hostNetwork=True),
            (),
            'forbidden sysctl: "net.ipv4.tcp_rmem" not allowed with host net enabled',
        ),
        (
            a_pod("kernel.shm_rmid_forced", hostIPC=True),
            (),
            'forbidden sysctl: "kernel.shm_rmid_forced" not allowed with host ipc enabled',
        ),
        (a_pod("kernel.shm_rmid_forced", hostNetwork=True), (), ""),
    ],
    ids=["safe", "with-slashes", "unsafe", "allowed", "no-prefix", "host-net", "host-ipc", "other-namespace"],
)
def test_only_what_is_allowed_may_be_set(pod, allowed, why):
    assert check_sysctls(pod, allowed) == why


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("net.core.somaxconn", ""),
        ("net.ipv4.*", ""),
        ("kernel.msg*", ""),
        ("kernel.sem", ""),
        ("fs.mqueue.msg_max", ""),
        ("vm.swappiness", "the sysctl 'vm.swappiness' is not known to be namespaced"),
        ("*", "the sysctl '*' is not known to be namespaced"),
        ("net", "the sysctl 'net' is not known to be namespaced"),
        ("net.*.x", "'net.*.x' is no sysctl, nor the beginning of some and a `*`"),
    ],
)
def test_only_what_a_namespace_has_of_its_own_can_be_allowed(pattern, why):
    assert pattern_fault(pattern) == why
