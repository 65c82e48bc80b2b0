"""Golden create bodies: names, labels and modes as dockershim was seen to set them (1.20), the rest as decided."""

from dataclasses import replace

import pytest

from minikube_py.kubelet.container_spec import render_container, render_sandbox
from minikube_py.kubelet.cri import (
    ContainerConfig,
    ContainerId,
    ContainerResources,
    ContainerSecurity,
    Mount,
    PodIdentity,
    SandboxConfig,
    SandboxId,
)

POD = PodIdentity("obs", "d-plain", "u-1")
SANDBOX = SandboxId("5a" * 32)
LOGS = {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "5"}}
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
            "SecurityOpt": ["no-new-privileges"],
            "CgroupParent": "/kubepods/besteffort/podu-1",
        },
    }


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
    assert host["SecurityOpt"] == ["no-new-privileges", "label=disable"]


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


def test_terminal_user_and_folder():
    body = container(tty=True, stdin=True, stdin_once=True, working_dir="/tmp")

    assert (body["Tty"], body["OpenStdin"], body["StdinOnce"], body["WorkingDir"]) == (True, True, True, "/tmp")
    assert "User" not in body
