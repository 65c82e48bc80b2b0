from dataclasses import replace

import pytest

from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.container_config import (
    ContainerParts,
    NodeTraits,
    can_mount_recursively_read_only,
    container_config,
    container_mounts,
    sandbox_config,
)
from minikube_py.kubelet.cri import ImageRecord, Mount
from minikube_py.kubelet.environment import ConfigError, Environment
from minikube_py.kubelet.hooks import decode_handler
from minikube_py.kubelet.pod import parse_pod
from minikube_py.kubelet.pod_runtime_status import CONTAINER_HASH, PRE_STOP, RESTART_COUNT

CONFIG = KubeletConfig(node_name="node1", node_ip="192.0.2.1", root_dir="/data", pod_logs_dir="/logs")
NODE = NodeTraits(8 << 30, "cgroupfs", "host1")
IMAGE = ImageRecord("sha256:1", ("i:1",), (), 1)


def a_pod(container=None, **spec):
    spec = {"containers": [{"name": "c", "image": "i", **(container or {})}], **spec}
    return parse_pod({"metadata": {"name": "p", "namespace": "n", "uid": "u", "labels": {"a": "1"}}, "spec": spec})


def made(container=None, attempt=0, variables=(), **spec):
    pod = a_pod(container, **spec)
    parts = ContainerParts(attempt, IMAGE, Environment(variables), ())
    return container_config(pod, pod.containers[0], parts, CONFIG, NODE)


def test_command_and_args_are_expanded():
    config = made({"command": ["run", "$(A)"], "args": ["$(NOPE)", "$$(A)"]}, variables=(("A", "1"),))

    assert (config.command, config.args) == (("run", "1"), ("$(NOPE)", "$(A)"))


def test_what_is_needed_to_stop_it_is_written_on_it():
    hook = {"exec": {"command": ["drain"]}}
    annotations = made({"lifecycle": {"preStop": hook}}, attempt=3).annotations

    assert annotations[RESTART_COUNT] == "3"
    assert annotations[CONTAINER_HASH] == a_pod().containers[0].hash
    assert decode_handler(annotations[PRE_STOP]) is not None


def test_the_log_is_found_where_the_kubelet_puts_it():
    assert made(attempt=2).log_path == "/logs/n_p_u/c/2.log"


def test_the_log_is_kept_in_as_many_files_of_the_size_as_the_node_says():
    config = replace(CONFIG, container_log_max_size="1500k", container_log_max_files=3)
    pod = a_pod()
    parts = ContainerParts(0, IMAGE, Environment(()), ())
    made_of = container_config(pod, pod.containers[0], parts, config, NODE)

    assert (made_of.log_max_bytes, made_of.log_files_max) == (1_500_000, 3)
    assert (made().log_max_bytes, made().log_files_max) == (10 << 20, 5)


def test_processes_are_bounded():
    assert made().resources.pids_limit == 4096


def test_the_sandbox_carries_the_pods_labels_and_name():
    config = sandbox_config(a_pod(), 1, CONFIG, NODE)

    assert (config.hostname, config.attempt, config.labels) == ("p", 1, {"a": "1"})
    assert config.cgroup_parent == "/kubepods/besteffort/podu"


def test_sysctls_are_the_sandboxs():
    pod = a_pod(securityContext={"sysctls": [{"name": "net.core.somaxconn", "value": "1"}]})

    assert sandbox_config(pod, 0, CONFIG, NODE).sysctls == {"net.core.somaxconn": "1"}


def test_a_volume_over_a_file_of_ours_wins():
    mounts = [{"name": "v", "mountPath": "/etc/hosts", "readOnly": True}, {"name": "w", "mountPath": "/w/"}]
    container = a_pod({"volumeMounts": mounts}).containers[0]
    own = [Mount("/data/etc-hosts", "/etc/hosts"), Mount("/data/resolv.conf", "/etc/resolv.conf")]
    found = container_mounts(container, [(0, "/v"), (1, "/w")], frozenset({"w"}), own, NODE)

    assert found == (
        Mount("/v", "/etc/hosts", read_only=True),
        Mount("/w", "/w", read_only=True),
        Mount("/data/resolv.conf", "/etc/resolv.conf"),
    )


def test_mount_propagation_is_the_runtimes():
    container = a_pod(
        {"volumeMounts": [{"name": "v", "mountPath": "/v", "mountPropagation": "Bidirectional"}]}
    ).containers[0]

    assert container_mounts(container, [(0, "/v")], frozenset(), [], NODE)[0].propagation == "rshared"


@pytest.mark.parametrize(
    ("wanted", "able", "recursive"),
    [("Disabled", True, False), ("IfPossible", True, True), ("IfPossible", False, False), ("Enabled", True, True)],
)
def test_a_tree_of_mounts_is_read_only_where_that_is_wanted_and_can_be(wanted, able, recursive):
    mount = {"name": "v", "mountPath": "/v", "readOnly": True, "recursiveReadOnly": wanted}
    container = a_pod({"volumeMounts": [mount]}).containers[0]
    node = replace(NODE, recursive_read_only=able)

    assert container_mounts(container, [(0, "/v")], frozenset(), [], node)[0].recursive_read_only is recursive


def test_a_recursively_read_only_mount_that_cannot_be_is_refused():
    mount = {"name": "v", "mountPath": "/v", "readOnly": True, "recursiveReadOnly": "Enabled"}
    container = a_pod({"volumeMounts": [mount]}).containers[0]

    with pytest.raises(ConfigError, match='volume "v" requested recursive read-only mode'):
        container_mounts(container, [(0, "/v")], frozenset(), [], NODE)


@pytest.mark.parametrize(
    ("api", "kernel", "able"),
    [("1.44", "5.12.0-1", True), ("1.100", "6.1", True), ("1.43", "6.1", False), ("1.44", "3.10.0-1160", False)],
)
def test_recursion_needs_a_new_engine_and_a_new_kernel(api, kernel, able):
    assert can_mount_recursively_read_only(api, kernel) is able
