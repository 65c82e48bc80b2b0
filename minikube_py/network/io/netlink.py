"""Links, addresses and routes through pyroute2, in one thread of their own.

pyroute2's asyncio classes need a datagram transport over AF_NETLINK, which uvloop refuses; its synchronous classes
want a loop of their own. So one named thread owns a plain selector loop and all of pyroute2. The same thread may
change its network namespace for the microseconds in which it opens a socket for a pod: no fork (pyroute2's own way
costs 20-90 ms and stalls the process; design notes: network namespaces). rtnl is serialised by the kernel anyway.
"""

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeVar

from minikube_py.kit.io.netns import open_socket_in
from minikube_py.network.io.pod_end import set_up_pod_end
from minikube_py.network.links import POD_END, PodLink

T = TypeVar("T")
HAIRPIN_ON = 1
RTEXT_FILTER_SKIP_STATS = 1 << 3
"""Kernel 4.4 and newer leave the counters out, which take most of the time to read."""
MAIN_TABLE = 254
ROUTE_PROTOCOL = 0x6B
"""Marks our routes, so that a dump filtered by it gives exactly what we own."""


class LinkError(OSError):
    """The kernel refused a change of links, addresses or routes; errno is the kernel's."""


@dataclass(frozen=True, slots=True)
class FoundLink:
    """A link as the kernel shows it."""

    index: int
    name: str
    alias: str | None
    mtu: int
    mac: str
    up: bool
    peer_index: int | None
    """Of a veth's other end, in the namespace that that one is in."""


class Netlink:
    """The net thread; every method that awaits runs its work there, one at a time."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="netlink")
        self._ipr: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self, work: Callable[["RtNetlink"], T]) -> T:
        """Run `work` in the net thread.

        Raises:
            LinkError: the kernel refused something.
        """
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._work, work)

    async def close(self) -> None:
        """Close the socket and end the thread."""
        await asyncio.get_running_loop().run_in_executor(self._executor, self._close)
        self._executor.shutdown(wait=False)

    def _work(self, work: Callable[["RtNetlink"], T]) -> T:
        if self._ipr is None:
            # The policy may be uvloop's, whose loops cannot carry netlink.
            self._loop = asyncio.SelectorEventLoop()
            asyncio.set_event_loop(self._loop)
            self._ipr = _pyroute2().IPRoute(use_event_loop=self._loop)
        with refusals():
            return work(RtNetlink(self._ipr, self._loop))

    def _close(self) -> None:
        if self._ipr is not None:
            self._ipr.close()
            self._ipr = None
        if self._loop is not None:
            self._loop.close()
            self._loop = None


class RtNetlink:
    """What can be asked of the kernel inside the net thread; `NetlinkError` passes through to `Netlink.run`."""

    def __init__(self, ipr: Any, loop: asyncio.AbstractEventLoop | None) -> None:
        self._ipr = ipr
        self._loop = loop

    @property
    def ipr(self) -> Any:
        """Return pyroute2's own object, for other modules that ask the kernel in this thread."""
        return self._ipr

    def link(self, name: str) -> FoundLink | None:
        """Return the link of that name."""
        index = link_index(name)
        return None if index is None else _found_link(self._ipr.link("get", index=index)[0])

    def ports(self, bridge_index: int) -> tuple[FoundLink, ...]:
        """Return the links enslaved to a bridge, sorted by name."""
        links = self._ipr.link("dump", ext_mask=RTEXT_FILTER_SKIP_STATS)
        ports = (_found_link(m) for m in links if m.get("master") == bridge_index)
        return tuple(sorted(ports, key=lambda port: port.name))

    def add_bridge(self, name: str, mac: str, mtu: int) -> None:
        """Create a bridge; its MAC is set, or it would change with its ports."""
        self._ipr.link("add", ifname=name, kind="bridge", address=mac, mtu=mtu, br_stp_state=0, br_forward_delay=0)

    def delete_link(self, name: str) -> None:
        """Delete the link of that name; fine when there is none."""
        index = link_index(name)
        if index is not None:
            # The kernel takes a veth away with the namespace of its other end, maybe just now.
            with tolerate(errno.ENODEV):
                self._ipr.link("del", index=index)

    def set_up(self, index: int, mtu: int) -> None:
        """Set MTU and state up."""
        self._ipr.link("set", index=index, mtu=mtu, state="up")

    def set_alias(self, index: int, alias: str) -> None:
        """Set a link's alias."""
        self._ipr.link("set", index=index, ifalias=alias)

    def set_pod_mtu(self, host_index: int, sandbox_pid: int, mtu: int) -> None:
        """Set the MTU of both ends of a pod's link; fine when the pod is gone."""
        try:
            with _open_netns(sandbox_pid) as netns, self._socket_in(netns) as pod:
                for found in pod.link_lookup(ifname=POD_END):
                    if pod.link("get", index=found)[0].get("link") == host_index:
                        pod.link("set", index=found, mtu=mtu)
                        self._ipr.link("set", index=host_index, mtu=mtu)
        except FileNotFoundError:
            return

    def reconcile_addresses(self, index: int, wanted: frozenset[tuple[str, int]]) -> None:
        """Make the link's IPv4 addresses exactly `wanted` (address, prefix length)."""
        found = frozenset(
            (str(m.get("address")), int(m["prefixlen"]))
            for m in self._ipr.addr("dump", family=socket.AF_INET)
            if m["index"] == index
        )
        for address, length in sorted(found - wanted):
            self._ipr.addr("del", index=index, address=address, prefixlen=length)
        for address, length in sorted(wanted - found):
            self._ipr.addr("add", index=index, address=address, prefixlen=length)

    def replace_route(self, destination: str, index: int, source: str) -> None:
        """Route `destination` to a link, with `source` as preferred source address."""
        self._ipr.route("replace", dst=destination, oif=index, prefsrc=source, scope="link", proto=ROUTE_PROTOCOL)

    def delete_own_routes(self, index: int, kept: Collection[str]) -> None:
        """Delete our routes straight to a link, all but those to `kept`."""
        for message in tuple(self._ipr.route("dump", family=socket.AF_INET)):
            is_own = message["proto"] == ROUTE_PROTOCOL and message["table"] == MAIN_TABLE
            if not is_own or message.get("gateway") or message.get("oif") != index:
                continue
            destination = f"{message.get('dst')}/{message['dst_len']}"
            if destination not in kept:
                self._ipr.route("del", dst=destination, oif=index, scope="link", proto=ROUTE_PROTOCOL)

    def add_pod_link(self, plan: PodLink, sandbox_pid: int, bridge_index: int, gateway: str, mtu: int) -> None:
        """Create the veth pair with one end in the sandbox, and give that end address and routes.

        The alias comes last: a link without it is half-made.
        """
        with _open_netns(sandbox_pid) as netns:
            if os.fstat(netns).st_ino == os.stat("/proc/thread-self/ns/net").st_ino:
                raise LinkError(errno.EINVAL, f"process {sandbox_pid} is in the host's own network")
            self._ipr.link(
                "add",
                ifname=plan.host_end,
                kind="veth",
                master=bridge_index,
                mtu=mtu,
                state="up",
                peer={"ifname": POD_END, "net_ns_fd": netns, "address": plan.mac, "mtu": mtu},
            )
            set_up_pod_end(netns, plan.address, gateway)
        host_index = socket.if_nametoindex(plan.host_end)
        # With bridge-nf-call-iptables=1 (Docker sets it) the bridge applies DNAT itself and would not send a packet
        # back to the port it came from: a pod could not reach itself through its Service.
        self._ipr.brport("set", index=host_index, mode=HAIRPIN_ON)
        self._ipr.link("set", index=host_index, ifalias=plan.alias)

    @contextmanager
    def _socket_in(self, netns: int) -> Iterator[Any]:
        descriptor = open_socket_in(netns, socket.AF_NETLINK, socket.SOCK_DGRAM).detach()
        try:
            pod = _pyroute2().IPRoute(fileno=descriptor, use_event_loop=self._loop)
        except BaseException:
            os.close(descriptor)
            raise
        try:
            yield pod
        finally:
            pod.close()


def link_index(name: str) -> int | None:
    """Return the index of the link of that name, None when there is none; a hundred times quicker than by netlink."""
    try:
        return socket.if_nametoindex(name)
    except OSError:
        return None


@contextmanager
def refusals() -> Iterator[None]:
    """Raise what the kernel refuses as LinkError."""
    try:
        yield
    except _pyroute2().NetlinkError as error:
        raise LinkError(error.code, f"netlink: {os.strerror(error.code)}") from error


@contextmanager
def tolerate(*numbers: int) -> Iterator[None]:
    """Take it for done when the kernel refuses it with one of these errors."""
    try:
        yield
    except _pyroute2().NetlinkError as error:
        if error.code not in numbers:
            raise


def _pyroute2() -> Any:
    """Import pyroute2 on first use: it costs 0.2 s and 24 MB."""
    return import_module("pyroute2")


@contextmanager
def _open_netns(pid: int) -> Iterator[int]:
    descriptor = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _found_link(message: Any) -> FoundLink:
    return FoundLink(
        index=int(message["index"]),
        name=str(message.get("ifname")),
        alias=message.get("ifalias"),
        mtu=int(message.get("mtu")),
        mac=str(message.get("address")),
        up=bool(message["flags"] & 1),
        peer_index=message.get("link"),
    )
