"""Golden create bodies: names, labels and modes as dockershim was seen to set them (1.20), the rest as decided."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.container_config import ContainerParts, NodeTraits, container_config, sandbox_config
from minikube_py.kubelet.container_spec import render_container, render_sandbox, render_update
from minikube_py.kubelet.cri import (
    ContainerConfig,
    ContainerId,
    ContainerResources,
    ContainerSecurity,
    ImageRecord,
    Mount,
    PodIdentity,
    SandboxConfig,
    SandboxId,
)
from minikube_py.kubelet.environment import Environment
from minikube_py.kubelet.pod import parse_pod

POD = PodIdentity("obs", "d-plain", "u-1")
SANDBOX = SandboxId("5a" * 32)
LOGS = {"Type": "json-file", "Config": {"max-size": "10485760", "max-file": "5"}}
PLAIN = ContainerConfig(
    pod=POD,
    name="c",
    attempt=0,
    image="busybox:1.29",
    image_id="sha256:b0",
    command=("sh", "-c"),
    args=("sleep 3600",),
    env=(("A", "1"), ("B", "x=y")),
    labels={"app": "obs"},
    annotations={"io.kubernetes.container.restartCount": "0"},
    log_path="/var/log/pods/obs_d-plain_u-1/c/0.log",
)


def sandbox(**changes):
    config = replace(SandboxConfig(POD, 0, hostname="d-plain", labels={"app": "obs"}), **changes)
    return render_sandbox(config, pause_image_id="sha256:aa", node_name="n1")


def container(**changes):
    return render_container(SANDBOX, replace(PLAIN, **changes), node_name="n1")


def test_a_sandbox_owns_namespaces_and_nothing_else():
    assert sandbox(cgroup_parent="/kubepods/besteffort/podu-1") == {
        "Image": "sha256:aa",
        "Hostname": "d-plain",
        "Labels": {
            "app": "obs",
            "io.kubernetes.container.name": "POD",
            "io.kubernetes.docker.type": "podsandbox",
            "io.kubernetes.pod.name": "d-plain",
            "io.kubernetes.pod.namespace": "obs",
            "io.kubernetes.pod.uid": "u-1",
            "minikube-py.node": "n1",
        },
        "HostConfig": {
            "NetworkMode": "none",
            "IpcMode": "shareable",
            "RestartPolicy": {"Name": "no"},
            "LogConfig": LOGS,
            "CpuShares": 2,
            "OomScoreAdj": -998,
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges", "seccomp=unconfined"],
            "CgroupParent": "/kubepods/besteffort/podu-1",
        },
    }


def test_a_pause_process_that_containers_see_has_the_engines_seccomp_profile():
    assert sandbox(share_process_namespace=True)["HostConfig"]["SecurityOpt"] == ["no-new-privileges"]


def test_a_container_joins_network_and_ipc_of_its_sandbox():
    assert container() == {
        "Image": "sha256:b0",
        "Entrypoint": ["sh", "-c"],
        "Cmd": ["sleep 3600"],
        "Env": ["A=1", "B=x=y"],
        "Labels": {
            "app": "obs",
            "annotation.io.kubernetes.container.restartCount": "0",
            "io.kubernetes.container.logpath": "/var/log/pods/obs_d-plain_u-1/c/0.log",
            "io.kubernetes.container.name": "c",
            "io.kubernetes.docker.type": "container",
            "io.kubernetes.pod.name": "d-plain",
            "io.kubernetes.pod.namespace": "obs",
            "io.kubernetes.pod.uid": "u-1",
            "io.kubernetes.sandbox.id": SANDBOX,
            "minikube-py.image": "busybox:1.29",
            "minikube-py.node": "n1",
        },
        "Healthcheck": {"Test": ["NONE"]},
        "Tty": False,
        "OpenStdin": False,
        "StdinOnce": False,
        "HostConfig": {
            "NetworkMode": f"container:{SANDBOX}",
            "IpcMode": f"container:{SANDBOX}",
            "RestartPolicy": {"Name": "no"},
            "LogConfig": LOGS,
            "Mounts": [],
            "OomScoreAdj": 0,
            "Privileged": False,
            "ReadonlyRootfs": False,
            "SecurityOpt": [],
        },
    }


def test_a_host_network_sandbox_keeps_the_hosts_name():
    body = sandbox(host_network=True)

    assert body["HostConfig"]["NetworkMode"] == "host"
    assert "Hostname" not in body
    assert container(host_network=True)["HostConfig"]["UTSMode"] == "host"


def test_host_pid_and_ipc_take_the_selinux_label_off():
    host = sandbox(host_pid=True, host_ipc=True)["HostConfig"]

    assert (host["PidMode"], host["IpcMode"]) == ("host", "host")
    assert host["SecurityOpt"] == ["no-new-privileges", "label=disable", "seccomp=unconfined"]


def test_sysctls_and_score_go_to_the_sandbox():
    config = SandboxConfig(POD, 0, hostname="", sysctls={"net.ipv4.tcp_syncookies": "1"})
    host = render_sandbox(config, pause_image_id="x", node_name="n", oom_score_adj=0)["HostConfig"]

    assert host["Sysctls"] == {"net.ipv4.tcp_syncookies": "1"}
    assert host["OomScoreAdj"] == 0


def test_args_alone_keep_the_images_entrypoint():
    body = container(command=(), args=("serve",))

    assert "Entrypoint" not in body
    assert body["Cmd"] == ["serve"]


def test_command_alone_drops_the_images_arguments():
    body = container(command=("serve",), args=())

    assert body["Entrypoint"] == ["serve"]
    assert "Cmd" not in body


@pytest.mark.parametrize(
    ("changes", "mode"),
    [
        ({"share_process_namespace": True}, f"container:{SANDBOX}"),
        ({"host_pid": True}, "host"),
        ({"target_container": ContainerId("7e" * 32)}, "container:" + "7e" * 32),
        ({"target_container": ContainerId("7e" * 32), "share_process_namespace": True}, "container:" + "7e" * 32),
    ],
    ids=["shared", "host", "ephemeral", "ephemeral in a shared one"],
)
def test_the_process_namespace(changes, mode):
    assert container(**changes)["HostConfig"]["PidMode"] == mode


def test_resources_as_docker_counts_them():
    resources = ContainerResources(
        cpu_shares=102, cpu_quota_us=25000, memory_limit_bytes=64 << 20, oom_score_adj=999, pids_limit=4096
    )
    host = container(resources=resources)["HostConfig"]

    assert {key: host[key] for key in ("CpuShares", "CpuQuota", "CpuPeriod", "Memory", "MemorySwap")} == {
        "CpuShares": 102,
        "CpuQuota": 25000,
        "CpuPeriod": 100000,
        "Memory": 67108864,
        "MemorySwap": 67108864,
    }
    assert (host["OomScoreAdj"], host["PidsLimit"]) == (999, 4096)


def test_a_security_context():
    security = ContainerSecurity(
        user="1000:2000",
        supplemental_groups=(3000, 4000),
        read_only_root=True,
        capabilities_add=("NET_ADMIN",),
        capabilities_drop=("ALL",),
        no_new_privileges=True,
        seccomp="unconfined",
        apparmor="docker-default",
        unmasked_proc=True,
    )
    body = container(security=security)
    host = body["HostConfig"]

    assert body["User"] == "1000:2000"
    assert host["GroupAdd"] == ["3000", "4000"]
    assert host["SecurityOpt"] == ["no-new-privileges", "seccomp=unconfined", "apparmor=docker-default"]
    assert (host["CapAdd"], host["CapDrop"], host["ReadonlyRootfs"]) == (["NET_ADMIN"], ["ALL"], True)
    assert (host["MaskedPaths"], host["ReadonlyPaths"]) == ([], [])


def test_a_privileged_container_has_no_selinux_label():
    host = container(security=ContainerSecurity(privileged=True, seccomp="unconfined"))["HostConfig"]

    assert host["Privileged"] is True
    assert host["SecurityOpt"] == ["seccomp=unconfined", "label=disable"]


def test_mounts_leave_dockers_default_propagation_to_docker():
    mounts = (
        Mount("/srv/a", "/a"),
        Mount("/srv/b", "/b", read_only=True, propagation="rslave"),
    )

    assert container(mounts=mounts)["HostConfig"]["Mounts"] == [
        {"Type": "bind", "Source": "/srv/a", "Target": "/a", "ReadOnly": False},
        {
            "Type": "bind",
            "Source": "/srv/b",
            "Target": "/b",
            "ReadOnly": True,
            "BindOptions": {"Propagation": "rslave", "ReadOnlyNonRecursive": True},
        },
    ]


def test_a_tree_of_mounts_is_forced_to_be_read_only():
    (mount,) = container(mounts=(Mount("/srv", "/s", read_only=True, recursive_read_only=True),))["HostConfig"][
        "Mounts"
    ]

    assert mount["BindOptions"] == {"ReadOnlyForceRecursive": True}


def test_terminal_user_and_folder():
    body = container(tty=True, stdin=True, stdin_once=True, working_dir="/tmp")

    assert (body["Tty"], body["OpenStdin"], body["StdinOnce"], body["WorkingDir"]) == (True, True, True, "/tmp")
    assert "User" not in body


# Whole pods, against what dockershim made of them.

OBSERVED = json.loads((Path(__file__).parents[2] / "fixtures/observed/dockershim-1.20.json").read_text())["scenarios"]
CONFIG = KubeletConfig(node_name="n1", node_ip="192.0.2.1", root_dir="/data", pod_logs_dir="/var/log/pods")
NODE = NodeTraits(24 << 30, "cgroupfs", "<host>")


def bodies_of(scenario):
    name = scenario["docker"][0]["Labels"]["io.kubernetes.pod.name"]
    metadata = {"name": name, "namespace": "obs-pods", "uid": "<uid>", "labels": scenario["labels"]}
    pod = parse_pod({"metadata": metadata, "spec": scenario["spec"]})
    yield render_sandbox(sandbox_config(pod, 0, CONFIG, NODE), pause_image_id="sha256:aa", node_name="n1")
    for each in pod.containers:
        parts = ContainerParts(0, ImageRecord("sha256:b0", (), (), 1), Environment(()), ())
        yield render_container(SandboxId("<cid>"), container_config(pod, each, parts, CONFIG, NODE), node_name="n1")


def is_sandbox(seen):
    return seen["Labels"]["io.kubernetes.docker.type"] == "podsandbox"


@pytest.mark.parametrize("scenario", OBSERVED, ids=lambda scenario: scenario["scenario"])
def test_a_pod_becomes_what_dockershim_made_of_it(scenario):
    for made, seen in zip(bodies_of(scenario), scenario["docker"], strict=True):
        host, seen_host = made["HostConfig"], seen["HostConfig"]
        for key in ("NetworkMode", "IpcMode", "PidMode", "UTSMode", "CpuShares", "CpuQuota", "Memory", "MemorySwap"):
            assert host.get(key) == seen_host.get(key), key
        for key in ("CapAdd", "Privileged", "Sysctls"):
            assert (host.get(key) or None) == seen_host.get(key), key
        labels = {key: value for key, value in made["Labels"].items() if key.startswith("io.kubernetes.")}
        assert labels == {key: value for key, value in seen["Labels"].items() if key.startswith("io.kubernetes.")}
        assert host["CgroupParent"] == seen_host["CgroupParent"].removeprefix("<cgroupRoot>")
        if is_sandbox(seen):
            assert made.get("Hostname", NODE.hostname) == seen["Config"]["Hostname"]
        else:
            assert set(host["SecurityOpt"]) == set(seen_host.get("SecurityOpt", []))
            assert sorted(host.get("GroupAdd", [])) == seen_host.get("GroupAdd", [])
            assert host.get("CapDrop") == seen_host.get("CapDrop")
            assert host["ReadonlyRootfs"] == seen_host.get("ReadonlyRootfs", False)
            assert host["OomScoreAdj"] == seen_host.get("OomScoreAdj", host["OomScoreAdj"])
            assert made.get("WorkingDir") == seen["Config"].get("WorkingDir")


def test_a_stop_signal_and_a_runtime_of_the_pod_s_own_are_asked_for():
    body = container(stop_signal="SIGUSR1", runtime_handler="kata")

    assert (body["StopSignal"], body["HostConfig"]["Runtime"]) == ("SIGUSR1", "kata")
    assert sandbox(runtime_handler="kata")["HostConfig"]["Runtime"] == "kata"
    assert "Runtime" not in sandbox()["HostConfig"]


def test_selinux_parts_become_label_options_and_win_over_none():
    security = ContainerSecurity(selinux=(("type", "t"), ("level", "s0")))

    assert container(security=security, host_pid=True)["HostConfig"]["SecurityOpt"] == [
        "label=type:t",
        "label=level:s0",
    ]


def test_an_update_says_what_is_set_and_memory_and_swap_together():
    assert render_update(ContainerResources(cpu_shares=512, oom_score_adj=5, pids_limit=9)) == {"CpuShares": 512}
    assert render_update(ContainerResources(512, 50_000, 100_000, 1 << 20)) == {
        "CpuShares": 512,
        "CpuPeriod": 100_000,
        "CpuQuota": 50_000,
        "Memory": 1 << 20,
        "MemorySwap": 1 << 20,
    }
