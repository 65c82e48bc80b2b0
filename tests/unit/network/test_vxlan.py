"""The tunnel device: what it is made of, when it is made anew, and on which kernels checksums are broken."""

from dataclasses import replace

import pytest

from minikube_py.network.config import NetworkConfig
from minikube_py.network.vxlan import FoundTunnel, TunnelStep, breaks_checksums, plan_tunnel, this_end

CONFIG = NetworkConfig(pod_cidr="10.244.1.0/24", node_ip="192.0.2.1")
WANTED = this_end(CONFIG, 1450)
RIGHT = FoundTunnel(7, WANTED.vni, WANTED.port, "192.0.2.1", False, WANTED.mac, 1450, True)


def test_this_end_has_the_ranges_first_address_and_a_mac_made_of_it():
    assert (WANTED.address, WANTED.mac, WANTED.local) == ("10.244.1.0", "0a:58:0a:f4:01:00", "192.0.2.1")


def test_a_device_that_is_right_is_left_alone():
    assert plan_tunnel(RIGHT, WANTED) is TunnelStep.NOTHING


def test_no_device_is_made():
    assert plan_tunnel(None, WANTED) is TunnelStep.MAKE


@pytest.mark.parametrize(
    "change",
    [{"vni": None}, {"vni": 1}, {"port": 4789}, {"local": "192.0.2.9"}, {"learning": True}],
    ids=lambda change: next(iter(change)),
)
def test_what_cannot_be_changed_makes_the_device_anew(change):
    assert plan_tunnel(replace(RIGHT, **change), WANTED) is TunnelStep.REPLACE


@pytest.mark.parametrize(
    "change", [{"mac": "de:ad:be:ef:00:01"}, {"mtu": 1500}, {"up": False}], ids=lambda change: next(iter(change))
)
def test_mac_mtu_and_state_are_set(change):
    assert plan_tunnel(replace(RIGHT, **change), WANTED) is TunnelStep.SET


@pytest.mark.parametrize(
    "release", ["3.10.0-1160.el7.x86_64", "4.18.0-80.el8", "4.19.122", "5.4.40", "5.6.12", "5.5.0"]
)
def test_old_kernels_send_wrong_checksums(release):
    assert breaks_checksums(release)


@pytest.mark.parametrize("release", ["4.14.181", "4.19.123-1", "5.4.41", "5.6.13", "5.7.0", "6.1.0-18-amd64", "6.18"])
def test_mended_kernels_do_not(release):
    assert not breaks_checksums(release)
