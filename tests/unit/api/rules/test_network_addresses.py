"""Addresses belong to somebody; ranges only grow by a family."""

import pytest

from minikube_py.api.resources import find_resource
from minikube_py.api.rules.network_addresses import address_name_faults
from minikube_py.testing.rule_cases import REMOVED, new_faults, update_faults

ADDRESSES = find_resource("networking.k8s.io", "v1", "ipaddresses")
RANGES = find_resource("networking.k8s.io", "v1", "servicecidrs")


def test_an_address_has_one_name():
    assert address_name_faults("10.0.0.1") == ()
    assert address_name_faults("2001:db8::1") == ()
    assert address_name_faults("2001:DB8::1") == ('must be in canonical form ("2001:db8::1")',)
    assert len(address_name_faults("x")) == 1


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"spec.parentRef": REMOVED}, [("spec.parentRef", "Required")]),
        ({"spec.parentRef": {}}, [("spec.parentRef.resource", "Required"), ("spec.parentRef.name", "Required")]),
    ],
)
def test_faults_of_an_address(changes, faults):
    assert new_faults(ADDRESSES, changes) == faults


def test_an_address_is_not_handed_on():
    assert update_faults(ADDRESSES, {"spec.parentRef.name": "other"}) == [("spec.parentRef", "Invalid")]


@pytest.mark.parametrize(
    ("cidrs", "faults"),
    [
        (["10.0.0.0/24", "2001:db8::/64"], []),
        ([], [("spec.cidrs", "Required")]),
        (["10.0.0.1/24"], [("spec.cidrs[0]", "Invalid")]),
        (["10.0.0.0/24", "10.1.0.0/24"], [("spec.cidrs", "Invalid")]),
        (["10.0.0.0/24"] * 3, [("spec", "Invalid")]),
    ],
)
def test_faults_of_a_range(cidrs, faults):
    assert new_faults(RANGES, {"spec.cidrs": cidrs}) == faults


def test_a_range_may_only_get_one_of_the_other_family():
    assert update_faults(RANGES, {"spec.cidrs": ["10.200.0.0/24", "2001:db8::/64"]}) == []
    assert update_faults(RANGES, {"spec.cidrs": ["10.201.0.0/24"]}) == [("spec.cidrs", "Invalid")]
