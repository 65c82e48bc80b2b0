import pytest

from minikube_py.kubelet.cgroup_names import (
    TIERS,
    cgroup_above,
    cgroup_path,
    container_path,
    last_part,
    outermost,
    pod_cgroup,
    tier_cgroup,
)

UID = "ab-cd"


@pytest.mark.parametrize(
    ("tier", "root", "driver", "expected"),
    [
        ("Guaranteed", "/", "cgroupfs", "/kubepods/podab-cd"),
        ("Burstable", "/", "cgroupfs", "/kubepods/burstable/podab-cd"),
        ("BestEffort", "/a/b", "cgroupfs", "/a/b/kubepods/besteffort/podab-cd"),
        ("Guaranteed", "/", "systemd", "kubepods-podab_cd.slice"),
        ("Burstable", "/", "systemd", "kubepods-burstable-podab_cd.slice"),
        ("BestEffort", "/a-b", "systemd", "a_b-kubepods-besteffort-podab_cd.slice"),
    ],
)
def test_a_pods_cgroup_is_called_as_upstream_calls_it(tier, root, driver, expected):
    assert pod_cgroup(UID, tier, root, driver) == expected


def test_the_tiers_hold_their_pods():
    for driver in ("cgroupfs", "systemd"):
        for tier in TIERS:
            above = cgroup_path(tier_cgroup(tier, "/r", driver))
            assert cgroup_path(pod_cgroup(UID, tier, "/r", driver)).startswith(above + "/")


def test_a_slice_stands_in_those_its_name_begins_with():
    assert cgroup_path("kubepods-burstable-podx.slice") == (
        "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podx.slice"
    )
    assert cgroup_path("/kubepods/podx") == "/kubepods/podx"


def test_a_container_is_a_scope_in_a_slice_and_a_folder_elsewhere():
    assert container_path("/kubepods/podx", "c1") == "/kubepods/podx/c1"
    assert container_path("kubepods-podx.slice", "c1") == "/kubepods.slice/kubepods-podx.slice/docker-c1.scope"


@pytest.mark.parametrize(
    ("name", "last", "above"),
    [
        ("/kubepods/podx", "podx", "/kubepods"),
        ("/kubepods", "kubepods", ""),
        ("a_b-kubepods-podx.slice", "podx", "a_b-kubepods.slice"),
        ("kubepods.slice", "kubepods", ""),
    ],
)
def test_a_name_says_where_its_cgroup_stands(name, last, above):
    assert (last_part(name), cgroup_above(name)) == (last, above)


@pytest.mark.parametrize(
    ("name", "goes"),
    [
        ("/kubepods/podx", "/kubepods/podx"),
        ("/a/kubepods", "/a"),
        ("/kubepods", "/kubepods"),
        ("a-kubepods.slice", "a.slice"),
        ("kubepods.slice", "kubepods.slice"),
        ("a-kubepods-podx.slice", "a-kubepods-podx.slice"),
    ],
)
def test_with_the_cgroup_of_all_pods_the_agents_own_goes(name, goes):
    assert outermost(name) == goes
