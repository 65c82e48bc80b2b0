import errno

import pytest
from pyroute2 import NetlinkError

from minikube_py.network.io.netlink import RtNetlink


class OneLink:
    """A kernel with one link, which goes away by itself between the look and the delete when it `vanishes`."""

    def __init__(self, refusal: int = 0) -> None:
        self.index: int | None = 7
        self.refusal = refusal

    def link_lookup(self, ifname: str) -> list[int]:
        return [] if self.index is None else [self.index]

    def link(self, verb: str, index: int) -> None:
        if self.refusal:
            raise NetlinkError(self.refusal, "no")
        self.index = None


def test_a_link_is_deleted_once_and_then_there_is_none():
    kernel = OneLink()
    netlink = RtNetlink(kernel, None)
    netlink.delete_link("veth1")
    netlink.delete_link("veth1")

    assert kernel.index is None


def test_a_link_that_went_with_its_namespace_just_now_is_gone_as_wished():
    RtNetlink(OneLink(errno.ENODEV), None).delete_link("veth1")


def test_another_refusal_is_an_error():
    with pytest.raises(NetlinkError):
        RtNetlink(OneLink(errno.EPERM), None).delete_link("veth1")
