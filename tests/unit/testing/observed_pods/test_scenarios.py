"""Which recorded scenarios are played together."""

from minikube_py.testing.observed_pods.scenarios import load_scenarios, with_rivals


def test_pods_that_were_recorded_beside_the_holder_of_their_host_port_are_played_beside_it():
    together = with_rivals(load_scenarios())

    assert [[scenario.name for scenario in group] for group in together if len(group) > 1] == [
        ["hostport-first", "hostport-conflict-scheduler", "hostport-conflict-kubelet"]
    ]
    assert sum(map(len, together)) == len(load_scenarios())
