import pytest

from minikube_py.kubelet.pod import parse_pod
from minikube_py.kubelet.pod_conditions import OWNED, RESIZE_TYPES, pod_conditions, with_times


def conditions(phase="Running", ready=True, gates=(), others=(), init=()):
    spec = {
        "containers": [{"name": "c", "image": "i"}],
        "readinessGates": [{"conditionType": g} for g in gates],
        "initContainers": [{"name": entry["name"], "image": "i"} for entry in init],
    }
    pod = parse_pod({"metadata": {}, "spec": spec})
    entries = [{"name": "c", "ready": ready}]
    made = pod_conditions(pod, phase, init, entries, sandbox_ready=True, others=others)
    return {c["type"]: (c["status"], c.get("reason")) for c in made}


def test_the_order_is_upstreams():
    assert tuple(conditions()) == OWNED[len(RESIZE_TYPES) :]


@pytest.mark.parametrize(
    ("phase", "ready", "expected"),
    [
        ("Running", True, ("True", None)),
        ("Running", False, ("False", "ContainersNotReady")),
        ("Succeeded", False, ("False", "PodCompleted")),
        ("Failed", False, ("False", "PodFailed")),
    ],
)
def test_ready_follows_the_containers(phase, ready, expected):
    made = conditions(phase, ready)

    assert (made["Ready"], made["ContainersReady"]) == (expected, expected)


def test_a_gate_keeps_a_pod_from_being_ready():
    open_gate = {"type": "g", "status": "True"}

    assert conditions(gates=("g",))["Ready"] == ("False", "ReadinessGatesNotReady")
    assert conditions(gates=("g",), others=(open_gate,))["Ready"] == ("True", None)


def test_init_containers_are_awaited():
    assert conditions(init=({"name": "i", "ready": False},))["Initialized"] == ("False", "ContainersNotInitialized")
    assert conditions(init=({"name": "i", "ready": True},))["Initialized"] == ("True", None)


def test_an_old_time_is_kept_while_the_status_is():
    old = [{"type": "Ready", "status": "True", "lastTransitionTime": "then"}]
    kept, moved = (
        with_times([{"type": "Ready", "status": status}], old, "now", 0)[0]["lastTransitionTime"]
        for status in ("True", "False")
    )

    assert (kept, moved) == ("then", "now")
