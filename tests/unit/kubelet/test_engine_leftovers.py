import json

import pytest

from minikube_py.kubelet.engine_leftovers import (
    ContainerCgroup,
    HostTraces,
    Shim,
    bundle_cgroup,
    container_id_of,
    pod_uid_of,
    shim_container,
)

ID = "ab12" * 16
UID = "a2571e71-fc16-41c7-9786-94a87bf14977"


@pytest.mark.parametrize(
    ("name", "uid"),
    [
        (f"pod{UID}", UID),
        (f"kubepods-burstable-pod{UID.replace('-', '_')}.slice", UID),
        (f"minikube_py_1-kubepods-pod{UID.replace('-', '_')}.slice", UID),
        ("kubepods", ""),
        ("burstable", ""),
        ("kubepods-besteffort.slice", ""),
        (ID, ""),
    ],
)
def test_a_cgroups_name_says_which_pod_it_holds(name, uid):
    assert pod_uid_of(name) == uid


@pytest.mark.parametrize(
    ("name", "identity"),
    [(ID, ID), (f"docker-{ID}.scope", ID), (f"pod{UID}", ""), ("init", ""), ("z" * 64, ""), (f"{ID}0", "")],
)
def test_a_cgroups_name_says_which_container_it_was_made_for(name, identity):
    assert container_id_of(name) == identity


@pytest.mark.parametrize(
    ("words", "identity"),
    [
        (["/usr/bin/containerd-shim-runc-v2", "-namespace", "moby", "-id", ID, "-address", "/a.sock", ""], ID),
        (["containerd-shim-runc-v1", "-namespace", "moby", "-id", ID], ID),
        (["/usr/bin/containerd-shim-runc-v2", "-namespace", "k8s.io", "-id", ID], ""),
        (["grep", "containerd-shim", "-namespace", "moby", "-id", ID], ""),
        ([""], ""),
    ],
    ids=["docker", "older", "another user of containerd", "another program", "kernel thread"],
)
def test_dockers_shims_are_known_by_their_command_lines(words, identity):
    assert shim_container("\0".join(words)) == identity


@pytest.mark.parametrize(
    ("named", "path"),
    [
        (f"/kubepods/burstable/pod{UID}/{ID}", f"/kubepods/burstable/pod{UID}/{ID}"),
        (
            f"kubepods-burstable-poda_b.slice:docker:{ID}",
            f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-poda_b.slice/docker-{ID}.scope",
        ),
    ],
    ids=["cgroupfs", "systemd"],
)
def test_a_bundle_names_the_cgroup_of_its_container(named, path):
    assert bundle_cgroup(json.dumps({"linux": {"cgroupsPath": named}})) == path


@pytest.mark.parametrize("config", ["", "{", "[]", "{}", '{"linux": null}'])
def test_a_bundle_that_names_no_cgroup_is_nobodys(config):
    assert bundle_cgroup(config) == ""


def test_traces_are_narrowed_down_to_pods_and_containers():
    kept, other = ContainerCgroup("c1", "/kubepods/podu1/c1"), ContainerCgroup("c2", "/kubepods/podu2/c2")
    traces = HostTraces(frozenset(("u1", "u2")), (kept, other), (Shim(1, "c1"), Shim(2, "c3")))

    assert traces.container_ids == {"c1", "c2", "c3"}
    assert traces.only({"u2"}, {"c1"}) == HostTraces(frozenset(("u2",)), (kept,), (Shim(1, "c1"),))
