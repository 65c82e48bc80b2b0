"""The judge of the chaos runs must see what the kernel and the disk have too much: each fault is made by hand."""

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from minikube_py.testing.kernel_leftovers import HostScene, folder_faults, process_faults, volume_faults

ID, OTHER = "ab12" * 16, "cd34" * 16
LIVING, OVER, GONE = "u-living", "u-over", "u-gone"


class _Cluster:
    """A lab's host that has only a folder, and an API with a volume."""

    def __init__(self, folder: Path) -> None:
        name = "lab1"
        self.host = SimpleNamespace(name=name, dir=folder, data_dir=folder / "data")
        self.lab = SimpleNamespace(pids={f"{name}/agent": 0, f"{name}/dockerd": 0})
        self.documents = {"persistentvolumes": [], "persistentvolumeclaims": []}

    def get(self, kind, *_):
        return {"items": self.documents[kind]}


@pytest.fixture
def cluster(tmp_path):
    return _Cluster(tmp_path)


def _scene(cluster, *running):
    containers = tuple({"Id": identity, "State": {"Running": True}} for identity in running)
    return HostScene(cluster, {LIVING: {}}, frozenset((LIVING, OVER)), containers)


def test_folders_and_logs_of_pods_that_are_gone_or_over_are_seen(cluster):
    for uid in (LIVING, OVER, GONE):
        (cluster.host.data_dir / "agent/pods" / uid).mkdir(parents=True)
        (cluster.host.data_dir / f"log/pods/default_p_{uid}").mkdir(parents=True)
    faults = list(folder_faults(_scene(cluster)))

    assert [fault.rpartition(" is ")[2] for fault in faults] == ["no pod's", "a finished pod's", "no pod's"]


def test_a_shim_of_a_container_that_does_not_run_is_seen(cluster, tmp_path):
    command = ["/usr/bin/containerd-shim-runc-v2", "-c", "echo up; read line", f"{tmp_path}/exec", "-id", ID]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, executable="/bin/sh", stdin=pipe, stdout=pipe) as shim:
        assert shim.stdout.readline() == b"up\n"  # before, /proc may not have its words: exec closes files first
        wrong, right = list(process_faults(_scene(cluster, OTHER))), list(process_faults(_scene(cluster, ID)))
        shim.kill()

    assert [f"shim {shim.pid} of the container {ID[:12]}" in fault for fault in wrong] == [True]
    assert right == []


def test_volumes_whose_claim_is_gone_and_folders_of_no_volume_are_seen(cluster):
    storage = cluster.host.data_dir / "agent/storage"
    for name in ("kept", "lost"):
        (storage / name).mkdir(parents=True)
    spec = {"hostPath": {"path": str(storage / "kept")}, "claimRef": {"uid": "c1"}}
    cluster.documents["persistentvolumes"] = [
        {"metadata": {"name": "v"}, "spec": spec, "status": {"phase": "Released"}}
    ]
    cluster.documents["persistentvolumeclaims"] = [{"metadata": {"uid": "c2"}}]

    assert list(volume_faults(_scene(cluster))) == [
        "volume v is of a claim that is gone (Released)",
        f"folder {storage / 'lost'} is no volume's",
    ]
