"""Which processes end with a host: those of its network, its engine's shims and their containers, and no other."""

from pathlib import Path

from minikube_py.testing.lab.power import Process, belonging

FOLDER = Path("/run/lab/lab1")
SHIM = ("containerd-shim-runc-v2", "-namespace", "moby", "-address", f"{FOLDER}/exec/containerd/containerd.sock")


def a_process(pid, parent=1, netns="net:[1]", words=("sleep",)):
    return Process(pid, parent, netns, words)


def test_everything_in_the_hosts_network_and_everything_below_it_belongs_to_it():
    processes = (
        a_process(1),
        a_process(10, netns="net:[7]", words=("dockerd",)),
        a_process(11, parent=10, netns="net:[8]"),
        a_process(20),
    )

    assert belonging(processes, "net:[7]", FOLDER) == {10, 11}


def test_a_shim_without_parent_belongs_to_the_host_whose_folder_it_names_and_its_containers_with_it():
    processes = (
        a_process(1),
        a_process(30, words=SHIM),
        a_process(31, parent=30, netns="net:[9]"),
        a_process(32, parent=31, netns="net:[9]"),
        a_process(40, words=("containerd-shim-runc-v2", "-address", "/run/lab/lab2/exec/containerd.sock")),
    )

    assert belonging(processes, "net:[7]", FOLDER) == {30, 31, 32}


def test_a_host_without_a_network_has_no_processes_by_network():
    assert belonging((a_process(1, netns=""), a_process(2, netns="")), "", FOLDER) == frozenset()
