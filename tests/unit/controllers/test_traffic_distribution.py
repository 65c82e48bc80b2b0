"""Hints of endpoints."""

import pytest

from minikube_py.controllers.traffic_distribution import hints_for
from minikube_py.testing.workload_objects import a_service

ZONE, NODE = {"forZones": [{"name": "z"}]}, {"forNodes": [{"name": "n"}]}


def hints(wish, *, ready=True, **endpoint):
    spec = {"trafficDistribution": wish} if wish else {}
    return hints_for({"conditions": {"ready": ready}, **endpoint}, a_service(**spec))


@pytest.mark.parametrize(
    ("wish", "expected"),
    [("", {}), ("PreferClose", ZONE), ("PreferSameZone", ZONE), ("PreferSameNode", {**ZONE, **NODE})],
)
def test_an_endpoint_is_for_the_zone_or_node_that_its_service_prefers(wish, expected):
    assert hints(wish, zone="z", nodeName="n") == expected


def test_what_is_not_known_of_an_endpoint_is_no_hint():
    assert hints("PreferSameNode", nodeName="n") == NODE
    assert hints("PreferSameZone", nodeName="n") == {}


def test_an_endpoint_that_is_not_ready_has_none():
    assert hints("PreferSameNode", ready=False, zone="z", nodeName="n") == {}
