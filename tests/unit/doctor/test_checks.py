from dataclasses import replace

import pytest

from minikube_py.doctor.checks import CHECKS, examine
from minikube_py.doctor.facts import EngineFacts, HostFacts, PortFacts, StateFacts, TunnelFacts

GOOD = HostFacts(
    is_root=True,
    python=(3, 11),
    kernel="6.1.0",
    nft_fault="",
    has_iptables=True,
    iptables_needed=True,
    cgroup_controllers=frozenset({"cpu", "memory", "pids", "io"}),
    can_forward=True,
    ports=(PortFacts(6443, "API server", taken=False),),
    agent_runs=False,
    data_dir="/var/lib/minikube-py",
    disk_free_bytes=50 << 30,
    data_dir_fault="",
    wall_s=1_800_000_000.0,
    newest_data_s=1_799_999_999.0,
    firewalld_runs=False,
    incoming_dropped=False,
    selinux_enforces=False,
)
ENGINE = EngineFacts("unix:///x", version="20.10.24", api_version="1.41", storage_driver="overlay2", cgroup_version=2)
TAKEN = (PortFacts(6443, "API server", taken=True),)


def _by_name(host, engine=ENGINE):
    return {finding.name: finding for finding in examine(host, engine)}


def test_a_good_host_has_nothing_to_mend():
    findings = examine(GOOD, ENGINE)

    assert len(findings) == len(CHECKS)
    assert {f.verdict for f in findings} == {"ok"}
    assert {f.remedy for f in findings} == {""}


@pytest.mark.parametrize(
    ("name", "verdict", "change"),
    [
        ("user", "failure", {"is_root": False}),
        ("python", "failure", {"python": (3, 9)}),
        ("cgroups", "failure", {"cgroup_controllers": frozenset({"cpu", "pids"})}),
        ("nftables", "warning", {"nft_fault": "cannot run nft: No such file or directory"}),
        ("iptables", "failure", {"has_iptables": False}),
        ("iptables", "warning", {"has_iptables": False, "iptables_needed": False}),
        ("forwarding", "failure", {"can_forward": False}),
        ("ports", "failure", {"ports": TAKEN}),
        ("ports", "ok", {"ports": TAKEN, "agent_runs": True}),
        ("disk", "failure", {"disk_free_bytes": 1 << 20}),
        ("disk", "warning", {"disk_free_bytes": 1 << 30}),
        ("disk", "failure", {"data_dir_fault": "/var/lib/minikube-py cannot be written"}),
        ("clock", "failure", {"wall_s": 1_000.0, "newest_data_s": 0.0}),
        ("clock", "failure", {"newest_data_s": 1_800_000_100.0}),
        ("firewalld", "warning", {"firewalld_runs": True}),
        ("incoming", "warning", {"incoming_dropped": True}),
        ("tunnel", "warning", {"tunnel": TunnelFacts(in_kernel=False)}),
        ("tunnel", "failure", {"tunnel": TunnelFacts(mode="vxlan", in_kernel=False)}),
        ("tunnel", "ok", {"tunnel": TunnelFacts(mode="direct", in_kernel=False)}),
        ("tunnel", "warning", {"tunnel": TunnelFacts(port_taken=True)}),
        ("tunnel", "ok", {"tunnel": TunnelFacts(port_taken=True), "agent_runs": True}),
        ("state", "failure", {"state": StateFacts("revision 7", ("the log is damaged", "so is a snapshot"))}),
        ("selinux", "warning", {"selinux_enforces": True}),
        ("registries", "failure", {"registries_fault": "registries.yaml: mirrors: 'x'", "registries_path": "/x"}),
        ("registries", "warning", {"registries_ignored": ("m.example is insecure: mend it", "n.example too: so")}),
    ],
)
def test_what_stands_in_the_way_is_named_and_can_be_mended(name, verdict, change):
    findings = _by_name(replace(GOOD, **change))

    assert findings[name].verdict == verdict
    assert bool(findings[name].remedy) == (verdict != "ok")
    assert {f.verdict for f in findings.values() if f.name != name} == {"ok"}


@pytest.mark.parametrize(
    ("verdict", "change"),
    [
        ("failure", {"error": "cannot reach Docker at unix:///x: is it running?"}),
        ("failure", {"error": "Docker 18.09.9 speaks API 1.39; 1.40 is needed", "remedy": "install a later one"}),
        ("warning", {"storage_driver": "vfs"}),
        ("warning", {"can_lower_oom_scores": False}),
        ("warning", {"user_namespaces": True}),
        ("ok", {"api_version": "1.51"}),
    ],
)
def test_the_engine_is_judged_by_what_it_says(verdict, change):
    assert _by_name(GOOD, replace(ENGINE, **change))["docker"].verdict == verdict


def test_a_firewall_is_told_every_port_at_which_other_nodes_come_in():
    ports = (PortFacts(6443, "API server", taken=False), PortFacts(10250, "kubelet", taken=False))
    strict = replace(GOOD, ports=ports, incoming_dropped=True)

    assert "6443/tcp, 10250/tcp, 8472/udp" in _by_name(strict)["incoming"].remedy
    direct = replace(strict, tunnel=TunnelFacts(mode="direct"))
    assert "udp" not in _by_name(direct)["incoming"].remedy
    with_firewalld = _by_name(replace(strict, firewalld_runs=True))
    assert with_firewalld["incoming"].verdict == "ok"
    assert "--add-port=8472/udp" in with_firewalld["firewalld"].remedy
    assert "--add-interface=mkpy-vxlan" in with_firewalld["firewalld"].remedy


def test_neither_nftables_nor_iptables_is_a_failure():
    findings = _by_name(replace(GOOD, nft_fault="cannot run nft: No such file or directory", has_iptables=False))

    assert findings["nftables"].verdict == "failure"
