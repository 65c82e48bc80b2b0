import pytest

from minikube_py.kubelet.io.nfs_mounts import mount_arguments, mount_nfs
from minikube_py.kubelet.pod_volumes import NfsVolume
from minikube_py.kubelet.volumes import VolumeError


@pytest.mark.parametrize(
    ("volume", "options", "arguments"),
    [
        (NfsVolume("s", "/p", False), (), ["-t", "nfs", "s:/p", "/m"]),
        (NfsVolume("s", "/p", True), ("hard",), ["-t", "nfs", "-o", "hard,ro", "s:/p", "/m"]),
        (NfsVolume("fd00::1", "/p", False), (), ["-t", "nfs", "[fd00::1]:/p", "/m"]),
    ],
)
def test_mount_is_told_what_and_where(volume, options, arguments):
    assert mount_arguments(volume, "/m", options) == arguments


async def test_a_mount_that_fails_is_told_in_upstreams_words(tmp_path, monkeypatch):
    program = tmp_path / "mount"
    program.write_text("#!/bin/sh\necho 'mount.nfs: access denied' >&2\nexit 32\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(VolumeError) as refused:
        await mount_nfs(NfsVolume("s", "/p", False), "/m", ())
    assert str(refused.value) == (
        "mount failed: exit status 32\nMounting command: mount\nMounting arguments: -t nfs s:/p /m\n"
        "Output: mount.nfs: access denied\n"
    )


async def test_a_host_without_mount_is_told(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(VolumeError, match="cannot run mount"):
        await mount_nfs(NfsVolume("s", "/p", False), "/m", ())
