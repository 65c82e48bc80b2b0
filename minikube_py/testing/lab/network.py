"""What joins a lab's hosts, in a namespace of its own: a bridge, a router with a link to each host, or both.

The machine's own firewall, bridges and Docker never see packets between hosts, and links are cut where no host looks:
with a rule on the way from one host to another, so each direction is cut by itself. Cables are named as their hosts
inside the namespace.
"""

from pathlib import Path

from minikube_py.testing.lab.layout import HostLayout, LabLayout, mac_of
from minikube_py.testing.lab.machine import LabError, run

BRIDGE = "lan"
UPLINK = "uplink"
CUTS = "cuts"
"""The nftables table with what is cut."""


def make_network(lab: LabLayout) -> None:
    """Make the bridge or router and this machine's way to it; fine when they are there."""
    if Path("/run/netns", lab.netns).exists():
        return
    run(["ip", "netns", "add", lab.netns])
    _inside(lab, "link", "set", "lo", "up")
    run(["ip", "link", "add", lab.uplink, "type", "veth", "peer", "name", UPLINK, "netns", lab.netns])
    run(["ip", "link", "set", lab.uplink, "up"])
    _inside(lab, "link", "set", UPLINK, "up")
    for host in lab.shared_link[:1]:
        # Without a MAC of its own it has that of a cable, and another one when that host goes away.
        _inside(lab, "link", "add", BRIDGE, "address", mac_of(host.gateway), "type", "bridge")
        _inside(lab, "link", "set", BRIDGE, "up")
    if lab.routed:
        _make_router(lab)
    else:
        _inside(lab, "link", "set", UPLINK, "master", BRIDGE)
        run(["ip", "addr", "add", f"{lab.gateway}/24", "dev", lab.uplink])


def _make_router(lab: LabLayout) -> None:
    run(["ip", "netns", "exec", lab.netns, "sysctl", "-qw", "net.ipv4.ip_forward=1"])
    first, last = lab.gateway.rsplit(".", 1)
    router = f"{first}.{int(last) + 1}"
    _inside(lab, "addr", "add", f"{router}/28", "dev", UPLINK)
    _inside(lab, "route", "add", "default", "via", lab.gateway)
    for host in lab.shared_link[:1]:
        _inside(lab, "addr", "add", f"{host.gateway}/{host.prefix_length}", "dev", BRIDGE)
    run(["ip", "addr", "add", f"{lab.gateway}/28", "dev", lab.uplink])
    run(["ip", "route", "add", lab.subnet, "via", router])


def attach_host(lab: LabLayout, host: HostLayout) -> None:
    """Make the host's namespace, its network card with address and default route, and the cable to the others."""
    run(["ip", "netns", "add", host.netns])
    card = ("name", "eth0", "address", host.mac, "netns", host.netns)
    _inside(lab, "link", "add", host.name, "type", "veth", "peer", *card)
    if host in lab.shared_link:
        _inside(lab, "link", "set", host.name, "master", BRIDGE)
    else:
        _inside(lab, "addr", "add", f"{host.gateway}/{host.prefix_length}", "dev", host.name)
    _inside(lab, "link", "set", host.name, "up")
    inside = ["ip", "-n", host.netns]
    run([*inside, "link", "set", "lo", "up"])
    run([*inside, "addr", "add", f"{host.address}/{host.prefix_length}", "dev", "eth0"])
    run([*inside, "link", "set", "eth0", "up"])
    run([*inside, "route", "add", "default", "via", host.gateway])


def detach_host(lab: LabLayout, host: HostLayout) -> None:
    """Take the host's namespace and cable away; fine when they are gone."""
    run(["ip", "-n", lab.netns, "link", "del", host.name], check=False)
    run(["ip", "netns", "del", host.netns], check=False)


def remove_network(lab: LabLayout) -> None:
    """Take the bridge or router away, and this machine's way to it; fine when they are gone."""
    run(["ip", "link", "del", lab.uplink], check=False)
    run(["ip", "netns", "del", lab.netns], check=False)


def cut(lab: LabLayout, sender: HostLayout, receiver: HostLayout) -> None:
    """Let nothing that `sender` sends reach `receiver`; the other direction stays as it is.

    Raises:
        LabError: they are the same host.
    """
    if sender == receiver:
        raise LabError(f"{sender.name} has no link to itself that could be cut")
    family, way = "bridge", ["iifname", sender.name, "oifname", receiver.name]
    if sender not in lab.shared_link or receiver not in lab.shared_link:
        # A bridge hides the cable from the router. Through it go packets between hosts only, pods' are in a tunnel.
        family, way = "ip", ["ip", "saddr", sender.address, "ip", "daddr", receiver.address]
    _nft(lab, "add", "table", family, CUTS)
    _nft(lab, "add", "chain", family, CUTS, "forward", "{ type filter hook forward priority 0; }")
    _nft(lab, "add", "rule", family, CUTS, "forward", *way, "drop")


def heal(lab: LabLayout) -> None:
    """Mend everything that was cut."""
    for family in ("bridge", "ip"):
        _nft(lab, "add", "table", family, CUTS)
        _nft(lab, "delete", "table", family, CUTS)


def _inside(lab: LabLayout, *arguments: str) -> None:
    run(["ip", "-n", lab.netns, *arguments])


def _nft(lab: LabLayout, *arguments: str) -> None:
    run(["ip", "netns", "exec", lab.netns, "nft", *arguments])
