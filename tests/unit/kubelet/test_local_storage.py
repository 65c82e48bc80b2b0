import pytest

from minikube_py.kubelet.local_storage import has_storage_limits, storage_violation
from minikube_py.kubelet.pod import parse_pod
from minikube_py.kubelet.statistics import (
    CgroupSample,
    ContainerSample,
    DiskUsage,
    FileSystem,
    PodSample,
    VolumeSample,
)

MIB = 1 << 20


def a_pod(limits=(None,), size_limit=None):
    containers = [
        {"name": f"c{n}", "image": "i", "resources": {"limits": {"ephemeral-storage": limit} if limit else {}}}
        for n, limit in enumerate(limits)
    ]
    empty = {"sizeLimit": size_limit} if size_limit else {}
    spec = {"containers": containers, "volumes": [{"name": "d", "emptyDir": empty}]}
    return parse_pod({"metadata": {"name": "p", "namespace": "n", "uid": "u"}, "spec": spec})


def a_sample(pod, *, rootfs_mib=0, logs_mib=0, volume_mib=0):
    cgroup = CgroupSample(1.0)
    containers = tuple(
        ContainerSample(c.name, c.name, "i", 0.0, cgroup, DiskUsage(rootfs_mib * MIB), DiskUsage(logs_mib * MIB))
        for c in pod.containers
    )
    volumes = (VolumeSample("d", DiskUsage(volume_mib * MIB), FileSystem()),)
    return PodSample(pod.identity, 0.0, cgroup, "/x", containers, volumes=volumes)


@pytest.mark.parametrize(
    ("pod", "use", "message"),
    [
        (a_pod(size_limit="1Mi"), {"volume_mib": 5}, 'Usage of EmptyDir volume "d" exceeds the limit "1Mi". '),
        (
            a_pod(("2Mi",)),
            {"rootfs_mib": 8},
            "Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. ",
        ),
        (
            a_pod(("3Mi",)),
            {"volume_mib": 8},
            "Pod ephemeral local storage usage exceeds the total limit of containers 3Mi. ",
        ),
        (
            a_pod(("1Mi", "100Mi")),
            {"logs_mib": 1, "rootfs_mib": 1},
            'Container c0 exceeded its local ephemeral storage limit "1Mi". ',
        ),
    ],
    ids=["emptyDir", "writable layer", "volume", "one container"],
)
def test_a_pod_over_a_limit_must_go_with_the_words_of_upstream(pod, use, message):
    assert storage_violation(pod, a_sample(pod, **use), has_image_fs=False) == message


def test_a_pod_that_keeps_to_its_limits_stays():
    pod = a_pod(("10Mi",), "5Mi")

    assert storage_violation(pod, a_sample(pod, rootfs_mib=1, logs_mib=1, volume_mib=5), has_image_fs=False) is None


def test_a_writable_layer_on_a_file_system_of_images_does_not_count_against_a_container():
    pod = a_pod(("1Mi", "100Mi"))

    assert storage_violation(pod, a_sample(pod, rootfs_mib=4), has_image_fs=True) is None


def test_only_pods_with_limits_are_watched():
    assert [has_storage_limits(p) for p in (a_pod(), a_pod(("1Mi",)), a_pod(size_limit="1Mi"))] == [False, True, True]
