import pytest

from minikube_py.kubelet.empty_dirs import huge_page_size, memory_size_bytes
from minikube_py.kubelet.pod import parse_pod
from minikube_py.kubelet.pod_volumes import EmptyDirVolume
from minikube_py.kubelet.volumes import VolumeError


def a_pod(*limits):
    containers = [
        {"name": f"c{i}", "image": "i", "resources": {"limits": limit}} for i, limit in enumerate(limits or ({},))
    ]
    return parse_pod({"metadata": {"name": "p"}, "spec": {"containers": containers}})


@pytest.mark.parametrize(
    ("limits", "size_limit", "node", "size"),
    [
        ((), "", "1Gi", 1 << 30),
        ((), "4Mi", "1Gi", 4 << 20),
        ((), "2Gi", "1Gi", 1 << 30),
        (({"memory": "8Mi"},), "", "1Gi", 8 << 20),
        (({"memory": "8Mi"}, {"memory": "8Mi"}), "", "1Gi", 16 << 20),
        (({"memory": "8Mi"}, {}), "", "1Gi", 1 << 30),
        ((), "", "0", 0),
    ],
)
def test_a_volume_in_memory_gets_the_smallest_bound(limits, size_limit, node, size):
    assert memory_size_bytes(a_pod(*limits), EmptyDirVolume("Memory", size_limit), {"memory": node}) == size


@pytest.mark.parametrize(
    ("medium", "limits", "size"),
    [("HugePages-2Mi", {}, "2M"), ("HugePages", {"hugepages-1Gi": "1Gi"}, "1G")],
)
def test_the_page_size_is_the_mediums_or_the_containers(medium, limits, size):
    assert huge_page_size(a_pod(limits), EmptyDirVolume(medium, "")) == size


@pytest.mark.parametrize("limits", [{}, {"hugepages-1Gi": "1Gi", "hugepages-2Mi": "2Mi"}])
def test_a_page_size_that_cannot_be_known_is_an_error(limits):
    with pytest.raises(VolumeError, match="cannot tell the page size"):
        huge_page_size(a_pod(limits), EmptyDirVolume("HugePages", ""))
