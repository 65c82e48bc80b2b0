"""Volumes in memory: out of the swap space, where the kernel can keep them out."""

import errno

import pytest

from minikube_py.kubelet.io.memory_mounts import MemoryMounts
from minikube_py.testing.fake_mounts import FakeMounts


def test_a_volume_in_memory_is_not_swapped():
    kernel = FakeMounts()
    memory = MemoryMounts(kernel)
    memory.mount("/a", "size=4096")
    memory.mount("/b", "")

    assert kernel.options == {"/a": "size=4096,noswap", "/b": "noswap"}


def test_a_kernel_that_cannot_is_asked_once_and_told_of(caplog):
    kernel = FakeMounts()
    kernel.refused = {"noswap"}
    memory = MemoryMounts(kernel)
    caplog.set_level("INFO", "kubelet")
    memory.mount("/a", "size=4096")
    memory.mount("/b", "")

    assert kernel.options == {"/a": "size=4096", "/b": ""}
    assert kernel.tries == 3
    assert len(caplog.messages) == 1


def test_a_kernel_is_tried_before_there_is_a_volume_and_nothing_is_left_of_it(tmp_path, caplog):
    kernel = FakeMounts()
    assert MemoryMounts(kernel).try_noswap(str(tmp_path))
    assert (kernel.tries, kernel.mounted(), list(tmp_path.iterdir())) == (1, (), [])

    kernel.refused = {"noswap"}
    memory = MemoryMounts(kernel)
    assert not memory.try_noswap(str(tmp_path))
    memory.mount("/a", "")
    assert (kernel.tries, kernel.options["/a"], list(tmp_path.iterdir())) == (3, "", [])


def test_a_volume_with_wrong_options_says_nothing_about_the_kernel():
    kernel = FakeMounts()
    kernel.refused = {"size=much"}
    memory = MemoryMounts(kernel)
    with pytest.raises(OSError, match="/a") as refusal:
        memory.mount("/a", "size=much")

    assert refusal.value.errno == errno.EINVAL
    memory.mount("/b", "")
    assert kernel.options == {"/b": "noswap"}
