import pytest

from minikube_py.kubelet.eviction import Observation
from minikube_py.kubelet.eviction_ranking import Candidate, eviction_message, is_critical, rank
from minikube_py.kubelet.eviction_thresholds import parse_thresholds
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


def a_candidate(
    name, *, request=None, used_mib=1, priority=0, processes=1, rootfs=0, logs=0, volume=0, pod_level=None
):
    requests = {"memory": request} if request else {}
    spec = {
        "priority": priority,
        "containers": [{"name": "c", "image": "i", "resources": {"requests": requests}}],
        "resources": {"requests": pod_level} if pod_level else {},
    }
    pod = parse_pod({"metadata": {"name": name, "namespace": "n", "uid": name}, "spec": spec})
    cgroup = CgroupSample(1.0, working_set_bytes=used_mib * MIB, processes=processes)
    container = ContainerSample("c", "id", "i", 0.0, cgroup, DiskUsage(rootfs, rootfs), DiskUsage(logs, logs))
    volumes = (VolumeSample("v", DiskUsage(volume, volume), FileSystem()),)
    return Candidate(pod, PodSample(pod.identity, 0.0, cgroup, "/x", (container,), volumes=volumes))


def names(candidates, signal="memory.available", *, has_image_fs=False):
    return [c.pod.name for c in rank(candidates, signal, has_image_fs=has_image_fs)]


def test_who_uses_more_than_it_requests_goes_before_lower_priorities_and_greater_use():
    candidates = [
        a_candidate("within", request="100Mi", used_mib=90, priority=-5),
        a_candidate("important", used_mib=500, priority=10),
        a_candidate("little", used_mib=10),
        a_candidate("much", request="10Mi", used_mib=50),
    ]

    assert names(candidates) == ["much", "little", "important", "within"]


def test_a_pod_of_which_nothing_is_known_goes_first():
    unknown = Candidate(a_candidate("unknown", priority=100).pod, None)

    assert names([a_candidate("known"), unknown]) == ["unknown", "known"]


def test_process_ids_go_by_priority_then_by_their_number():
    candidates = [a_candidate("few", processes=2), a_candidate("many", processes=9), a_candidate("low", priority=-1)]

    assert names(candidates, "pid.available") == ["low", "many", "few"]


@pytest.mark.parametrize(
    ("signal", "has_image_fs", "first"),
    [
        ("nodefs.available", False, "layers"),
        ("nodefs.available", True, "logs"),
        ("imagefs.available", True, "layers"),
        ("nodefs.inodesFree", True, "logs"),
        ("imagefs.inodesFree", True, "layers"),
    ],
)
def test_what_counts_on_a_disk_depends_on_which_one_is_short(signal, has_image_fs, first):
    candidates = [a_candidate("logs", logs=10, volume=10), a_candidate("layers", rootfs=30, logs=1)]

    assert names(candidates, signal, has_image_fs=has_image_fs)[0] == first


@pytest.mark.parametrize(
    ("metadata", "priority", "expected"),
    [
        ({}, 0, False),
        ({}, 2_000_000_000, True),
        ({"annotations": {"kubernetes.io/config.source": "file"}}, 0, True),
        ({"annotations": {"kubernetes.io/config.source": "api"}}, 0, False),
        ({"annotations": {"kubernetes.io/config.mirror": "x"}}, 0, True),
    ],
)
def test_static_pods_and_system_priorities_are_critical(metadata, priority, expected):
    pod = parse_pod(
        {"metadata": {"name": "p", "namespace": "n", "uid": "u", **metadata}, "spec": {"priority": priority}}
    )

    assert is_critical(pod) is expected


MEMORY = parse_thresholds((("memory.available", "100Mi"),), (), (), ())
SEEN = {
    "memory.available": Observation(51200, 8 << 30, 1.0),
    "nodefs.available": Observation(5 << 20, 100 << 20, 1.0),
}


def test_the_message_names_what_is_short_and_who_is_to_blame():
    message = eviction_message(a_candidate("p", request="10Mi", used_mib=20), MEMORY, SEEN)

    assert message == (
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Ki. "
        "Container c was using 20Mi, request is 10Mi, has larger consumption of memory. "
    )


def test_a_pod_that_requests_for_itself_is_blamed_itself():
    message = eviction_message(a_candidate("p", used_mib=20, pod_level={"memory": "8Mi"}), MEMORY, SEEN)

    assert "Pod p was using 20Mi, request is 8Mi, has larger consumption of memory. Container c was using" in message


def test_a_disk_message_blames_layers_and_logs():
    disk = parse_thresholds((("nodefs.available", "10%"),), (), (), ())
    message = eviction_message(a_candidate("p", rootfs=1024, logs=1024), disk, SEEN)

    assert message == (
        "The node was low on resource: ephemeral-storage. Threshold quantity: 10Mi, available: 5Mi. "
        "Container c was using 2Ki, request is 0, has larger consumption of ephemeral-storage. "
    ).replace("10Mi", str(disk[0].amount.of(100 << 20)))


def test_nobody_is_blamed_without_numbers_or_for_processes():
    pids = parse_thresholds((("pid.available", "100"),), (), (), ())
    unknown = Candidate(a_candidate("p").pod, None)

    assert eviction_message(unknown, MEMORY, {}) == "The node was low on resource: memory. "
    seen = {"pid.available": Observation(7, 100, 1.0)}
    assert eviction_message(a_candidate("p"), pids, seen) == (
        "The node was low on resource: pids. Threshold quantity: 100, available: 7. "
    )
