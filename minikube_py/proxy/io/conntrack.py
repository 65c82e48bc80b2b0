"""The kernel's connection tracking over ctnetlink, in a thread (implements the FlowTable port)."""

import asyncio
import socket
from collections.abc import Mapping

from minikube_py.proxy.conntrack import UdpFlow, count_answers, parse_dump, render_delete, render_dump, stale_flows
from minikube_py.proxy.programs import Target, UdpEntry

NETLINK_NETFILTER = 12
DATAGRAM_BYTES_MAX = 1 << 18
DELETES_IN_FLIGHT_MAX = 200
"""Deletions sent before their answers are read; bounded by the socket's receive buffer."""
ANSWER_TIMEOUT_S = 10.0


class Conntrack:
    """Deletes stale UDP flows; 5-10 us a flow, in a thread, because a busy node has many thousands."""

    async def delete_stale_udp(self, allowed: Mapping[UdpEntry, frozenset[Target]]) -> int:
        """Delete the UDP flows to these entries that lead elsewhere than allowed; return how many.

        Raises:
            OSError: the table cannot be read.
        """
        return await asyncio.to_thread(_delete_stale_udp, dict(allowed))


def _delete_stale_udp(allowed: Mapping[UdpEntry, frozenset[Target]]) -> int:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_NETFILTER) as netlink:
        netlink.settimeout(ANSWER_TIMEOUT_S)
        netlink.bind((0, 0))
        stale: list[UdpFlow] = []
        netlink.send(render_dump(sequence=1))
        complete = False
        while not complete:
            flows, complete = parse_dump(netlink.recv(DATAGRAM_BYTES_MAX))
            stale.extend(stale_flows(flows, allowed))
        return sum(
            _delete(netlink, stale[start : start + DELETES_IN_FLIGHT_MAX])
            for start in range(0, len(stale), DELETES_IN_FLIGHT_MAX)
        )


def _delete(netlink: socket.socket, flows: list[UdpFlow]) -> int:
    netlink.send(b"".join(render_delete(flow, sequence) for sequence, flow in enumerate(flows, start=2)))
    answered = deleted = 0
    while answered < len(flows):
        answers, gone = count_answers(netlink.recv(DATAGRAM_BYTES_MAX))
        answered += answers
        deleted += gone
    return deleted
