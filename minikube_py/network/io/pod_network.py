"""This node's bridge and the pods on it (implements the kubelet's PodNetwork port).

Level, not edge: what is attached is read from the kernel (aliases of the bridge's ports) and compared with the
sandboxes that run. A cancelled or failed `attach` leaves at most a link without alias, which the next `attach` or
`detach` of that pod, or the next `adopt`, removes.
"""

import logging

from minikube_py.kit.clock import Clock
from minikube_py.network.config import NetworkConfig
from minikube_py.network.io.host_rules import HostRules
from minikube_py.network.io.netlink import FoundLink, LinkError, Netlink, RtNetlink, link_index
from minikube_py.network.io.path_kernel import PathKernel
from minikube_py.network.io.pod_end import read_pod_end
from minikube_py.network.ipam import AddressPool
from minikube_py.network.links import (
    bridge_alias,
    host_end_name,
    mac_of,
    parse_bridge_alias,
    parse_pod_alias,
    plan_pod_link,
)

log = logging.getLogger("network")


class BridgePodNetwork:
    """Attaches pods to the node's bridge. `ensure_bridge`, then `adopt`, come before the first `attach`."""

    def __init__(self, config: NetworkConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self.netlink = Netlink()
        """The net thread, for what else changes links and routes."""
        self._rules = HostRules(config)
        self._pool = AddressPool(config.pod_cidr, config.quarantine_s)
        self._service_networks: tuple[str, ...] = ()
        """Empty: not known yet."""
        self._mtu: int | None = None
        """None: not known yet, take over what an earlier start has left."""
        self._sandbox_pids: dict[str, int] = {}

    async def run(self) -> None:
        """Mend bridge, addresses, routes, sysctls and firewall rules every `repair_interval_s`, for ever."""
        while True:
            await self._clock.sleep(self._config.repair_interval_s)
            try:
                await self.ensure_bridge()
            except OSError as error:
                log.warning(
                    "cannot mend the pod network, next try in %g s: %s", self._config.repair_interval_s, error
                )

    async def ensure_bridge(self) -> None:
        """Make the bridge, its addresses and routes, sysctls and firewall rules what they must be.

        Raises:
            OSError: the kernel, nft or a sysctl refused.
        """
        bridge = await self.netlink.run(self._ensure_bridge)
        last = parse_bridge_alias(bridge.alias)
        if last is not None:
            self._pool.resume_after(last)
        await self._rules.ensure()

    async def attach(self, pod_uid: str, sandbox_pid: int, wanted_ip: str = "") -> str:
        """Connect the network namespace of process `sandbox_pid` and return the pod's IP; idempotent per uid.

        The IP is `wanted_ip` if that is free.

        Raises:
            OSError: it could not be connected; nothing half-made is left.
        """
        held = self._pool.address_of(pod_uid)
        if held is not None and await self.netlink.run(lambda rt: self._holds(rt, pod_uid, held, sandbox_pid)):
            return held
        address = self._pool.allocate(pod_uid, self._clock.now_s(), wanted_ip)
        last = self._pool.last_allocated()
        # Known before the link is made: a change of the MTU then finds it, whichever is first in the net thread.
        self._sandbox_pids[pod_uid] = sandbox_pid
        try:
            await self.netlink.run(lambda rt: self._attach(rt, pod_uid, address, sandbox_pid, last))
        except OSError:
            self._sandbox_pids.pop(pod_uid, None)
            self._pool.release(pod_uid, self._clock.now_s())
            raise
        return address

    async def detach(self, pod_uid: str) -> None:
        """Take the link away and set the address free (after its quarantine); fine when there is none."""
        self._sandbox_pids.pop(pod_uid, None)
        await self.netlink.run(lambda rt: rt.delete_link(host_end_name(pod_uid)))
        self._pool.release(pod_uid, self._clock.now_s())

    async def adopt(self, live: dict[str, int]) -> dict[str, str]:
        """Tell which pods run (uid -> sandbox pid) after a start: keeps theirs, sweeps the rest.

        Returns:
            The pod IPs by uid of those whose connection stands; the others must be attached again.
        """
        standing = await self.netlink.run(lambda rt: self._sweep(rt, live))
        for uid in self._pool.holders():
            if uid not in standing:
                self._pool.release(uid, self._clock.now_s())
        self._sandbox_pids = {uid: live[uid] for uid in standing}
        return {uid: address for uid, address in standing.items() if self._pool.restore(uid, address)}

    async def use_mtu(self, mtu: int) -> None:
        """Give the bridge and every pod this MTU in bytes, those that run already too.

        Raises:
            OSError: the kernel refused it.
        """
        await self.netlink.run(lambda rt: self._set_mtu(rt, mtu))
        log.info("the pods' MTU is %d", mtu)

    async def use_service_networks(self, networks: tuple[str, ...]) -> None:
        """Lead the addresses of Services in these ranges to the bridge, and no others.

        Raises:
            OSError: the kernel refused it; the next repair tries again.
        """
        self._service_networks = networks
        await self.netlink.run(self._ensure_bridge)

    async def tear_down(self) -> None:
        """Remove every link, the bridge and the rules of this node (`minikube-py down`)."""
        await self.netlink.run(self._delete_links)
        await self._rules.remove()

    async def close(self) -> None:
        """End the net thread; pods stay connected."""
        await self.netlink.close()

    def _ensure_bridge(self, rt: RtNetlink) -> FoundLink:
        config = self._config
        bridge = rt.link(config.bridge)
        if bridge is None:
            rt.add_bridge(config.bridge, mac_of(config.gateway), self._mtu or config.mtu)
            bridge = rt.link(config.bridge)
            assert bridge is not None
        self._mtu = self._mtu or bridge.mtu
        if not bridge.up or bridge.mtu != self._mtu:
            rt.set_up(bridge.index, self._mtu)
        addresses = {(config.gateway, config.prefix_length), *((ip, 32) for ip in config.local_addresses)}
        rt.reconcile_addresses(bridge.index, frozenset(addresses))
        for network in self._service_networks or (config.service_cidr,):
            rt.replace_route(network, bridge.index, config.gateway)
        if self._service_networks:
            rt.delete_own_routes(bridge.index, self._service_networks)
        return bridge

    def _attach(self, rt: RtNetlink, pod_uid: str, address: str, sandbox_pid: int, last: str) -> None:
        bridge_index = link_index(self._config.bridge)
        if bridge_index is None:
            raise LinkError(f"bridge {self._config.bridge} does not exist")
        assert self._mtu is not None, "ensure_bridge comes first"
        plan = plan_pod_link(pod_uid, address)
        rt.delete_link(plan.host_end)
        try:
            rt.add_pod_link(plan, sandbox_pid, bridge_index, self._config.gateway, self._mtu)
        except BaseException:
            rt.delete_link(plan.host_end)
            raise
        rt.set_alias(bridge_index, bridge_alias(last))

    def _holds(self, rt: RtNetlink, pod_uid: str, address: str, sandbox_pid: int) -> bool:
        link = rt.link(host_end_name(pod_uid))
        return link is not None and _stands(link, address, sandbox_pid)

    def _set_mtu(self, rt: RtNetlink, mtu: int) -> None:
        # New pods get it from here on: the net thread does one thing at a time.
        self._mtu = mtu
        bridge = self._ensure_bridge(rt)
        for port in rt.ports(bridge.index):
            record = parse_pod_alias(port.alias)
            pid = self._sandbox_pids.get(record.pod_uid) if record is not None else None
            if pid is not None and port.mtu != mtu:
                rt.set_pod_mtu(port.index, pid, mtu)

    def _sweep(self, rt: RtNetlink, live: dict[str, int]) -> dict[str, str]:
        bridge = rt.link(self._config.bridge)
        standing: dict[str, str] = {}
        for port in rt.ports(bridge.index) if bridge is not None else ():
            record = parse_pod_alias(port.alias)
            pid = live.get(record.pod_uid) if record is not None else None
            if record is not None and pid is not None and _stands(port, record.address, pid):
                standing[record.pod_uid] = record.address
                if self._mtu is not None and port.mtu != self._mtu:
                    rt.set_pod_mtu(port.index, pid, self._mtu)
            else:
                log.info("removing link %s of a pod that is gone", port.name)
                rt.delete_link(port.name)
        return standing

    def _delete_links(self, rt: RtNetlink) -> None:
        PathKernel(rt, self._config).remove()
        bridge = rt.link(self._config.bridge)
        if bridge is None:
            return
        for port in rt.ports(bridge.index):
            rt.delete_link(port.name)
        rt.delete_link(self._config.bridge)


def _stands(link: FoundLink, address: str, sandbox_pid: int) -> bool:
    """Return whether the sandbox's end is the other one of that link and has that address."""
    end = read_pod_end(sandbox_pid)
    return end is not None and (end.index, end.address) == (link.peer_index, address)
