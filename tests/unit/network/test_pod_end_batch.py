import errno
import struct

from pyroute2.netlink.rtnl.marshal import MarshalRtnl

from minikube_py.network.pod_end_batch import MESSAGES, encode_pod_end, read_answers


def test_the_batch_says_what_the_pod_gets_and_where_it_goes():
    seen = [(m["event"], m) for m in MarshalRtnl().parse(encode_pod_end(7, "10.244.0.9", "10.244.0.1"))]
    loopback, address, link, near, far = [m for _, m in seen]

    assert [kind for kind, _ in seen] == [
        "RTM_NEWLINK",
        "RTM_NEWADDR",
        "RTM_NEWLINK",
        "RTM_NEWROUTE",
        "RTM_NEWROUTE",
    ]
    assert [(m["index"], m["flags"], m["change"]) for m in (loopback, link)] == [(1, 1, 1), (7, 1, 1)]
    assert (address["index"], address["prefixlen"]) == (7, 32)
    assert (address.get("local"), address.get("address")) == ("10.244.0.9", "10.244.0.9")
    assert (near["dst_len"], near["scope"], near.get("dst"), near.get("oif")) == (32, 253, "10.244.0.1", 7)
    assert (far["dst_len"], far["scope"], far.get("gateway"), far.get("oif")) == (0, 0, "10.244.0.1", 7)
    assert [m["header"]["sequence_number"] for _, m in seen] == list(range(1, MESSAGES + 1))


def test_answers_are_verdicts_in_their_order():
    def answer(error):
        return struct.pack("=IHHIIi", 36, 2, 0, 1, 0, error) + b"\0" * 16

    assert read_answers(answer(0) + answer(-errno.EEXIST)) == (0, errno.EEXIST)
    assert read_answers(b"") == ()
