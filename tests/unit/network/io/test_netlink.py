import errno
import socket

import pytest
from pyroute2 import NetlinkError

from minikube_py.network.io.netlink import RtNetlink


class OneLink:
    """A kernel with one link, which goes away by itself between the look and the delete when it `vanishes`."""

    def __init__(self) -> None:
        self.index: int | None = 7
        self.refusal = 0

    def if_nametoindex(self, name: str) -> int:
        if self.index is None:
            raise OSError(errno.ENODEV, "no interface with this name")
        return self.index

    def link(self, verb: str, index: int) -> None:
        if self.refusal:
            raise NetlinkError(self.refusal, "no")
        self.index = None


@pytest.fixture
def kernel(monkeypatch):
    made = OneLink()
    monkeypatch.setattr(socket, "if_nametoindex", made.if_nametoindex)
    return made


def test_a_link_is_deleted_once_and_then_there_is_none(kernel):
    netlink = RtNetlink(kernel, None)
    netlink.delete_link("veth1")
    netlink.delete_link("veth1")

    assert kernel.index is None


def test_a_link_that_went_with_its_namespace_just_now_is_gone_as_wished(kernel):
    kernel.refusal = errno.ENODEV

    RtNetlink(kernel, None).delete_link("veth1")


def test_another_refusal_is_an_error(kernel):
    kernel.refusal = errno.EPERM

    with pytest.raises(NetlinkError):
        RtNetlink(kernel, None).delete_link("veth1")
