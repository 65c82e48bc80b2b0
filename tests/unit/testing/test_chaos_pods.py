import random

from minikube_py.testing.chaos_pods import PodKinds

NUMBERS = range(1, 200)


def _pods(seed):
    kinds = PodKinds("busybox")
    objects = [o for n in NUMBERS for o in kinds.make(n, random.Random(f"{seed}/{n}"))]
    return objects, kinds.counts


def test_a_seed_always_gives_the_same_pods():
    assert _pods(1) == _pods(1)
    assert _pods(1) != _pods(2)


def test_every_kind_comes_up_and_is_counted():
    objects, counts = _pods(1)
    pods = [o for o in objects if o["kind"] == "Pod"]
    mounted = [p for p in pods for v in p["spec"]["volumes"] if "persistentVolumeClaim" in v]

    assert len(pods) == len(NUMBERS)
    assert len(mounted) == counts["claim"] == len(objects) - len(pods)
    assert {"hostPort", "hostNetwork", "sidecar", "init containers", "crashes", "completes"} <= counts.keys()


def test_no_two_pods_want_the_same_port_of_the_host():
    ports = [p["hostPort"] for o in _pods(3)[0] for c in o["spec"].get("containers", ()) for p in c.get("ports", ())]
    assert ports
    assert len(set(ports)) == len(ports)
