import pytest

from minikube_py.controllers.config import ControllersConfig
from minikube_py.controllers.eviction_pace import EvictionPace, ZoneView, eviction_rate, view_zone, zone_of

CONFIG = ControllersConfig(root_ca_pem="")
A, B = ("r", "a"), ("r", "b")


def test_a_zone_is_counted_for_itself_and_the_cluster_for_being_there_at_all():
    nodes = [(A, False), (A, False), (B, True)]

    assert view_zone(A, nodes) == ZoneView(A, 0, 2, any_ready=True)
    assert view_zone(A, nodes[:2]) == ZoneView(A, 0, 2, any_ready=False)


def test_the_zone_is_read_from_the_topology_labels():
    labels = {"topology.kubernetes.io/region": "r", "topology.kubernetes.io/zone": "a"}

    assert zone_of({"metadata": {"labels": labels}}) == A
    assert zone_of({"metadata": {}}) == ("", "")


@pytest.mark.parametrize(
    ("ready", "not_ready", "any_ready", "rate"),
    [
        pytest.param(9, 1, True, 0.1, id="well"),
        pytest.param(1, 2, True, 0.1, id="two are no disruption"),
        pytest.param(3, 3, True, 0.1, id="half is below the threshold"),
        pytest.param(2, 3, True, 0.0, id="most of a small zone"),
        pytest.param(20, 31, True, 0.01, id="most of a large zone"),
        pytest.param(0, 5, True, 0.1, id="all of one zone while others live"),
        pytest.param(0, 5, False, 0.0, id="all of the cluster"),
    ],
)
def test_the_rate_falls_with_the_disruption(ready, not_ready, any_ready, rate):
    assert eviction_rate(ZoneView(A, ready, not_ready, any_ready), CONFIG) == rate


def test_turns_are_given_at_the_rate_and_zones_do_not_wait_for_one_another():
    pace = EvictionPace()

    given = [at_s for at_s in (0, 5, 9.9, 10, 11, 20) if pace.take_turn(A, 0.1, at_s)]
    assert given == [0, 10, 20]
    assert pace.take_turn(B, 0.1, 5)
    assert not pace.take_turn(B, 0.0, 1000)
    assert pace.take_turn(A, 0.1, 3), "a clock that was set back gives a turn"
