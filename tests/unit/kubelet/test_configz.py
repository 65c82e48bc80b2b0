import pytest

from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.configz import configz, duration_text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (1.5, "1.5s"), (60, "1m0s"), (300, "5m0s"), (3661, "1h1m1s")]
)
def test_durations_are_written_as_go_writes_them(seconds, text):
    assert duration_text(seconds) == text


def test_the_settings_in_force_are_shown():
    config = KubeletConfig("n1", "192.0.2.1", "/r", "/l", max_pods=7, kube_reserved=(("cpu", "1"),))
    shown = configz(config)["kubeletconfig"]

    assert (shown["kind"], shown["maxPods"], shown["kubeReserved"]) == ("KubeletConfiguration", 7, {"cpu": "1"})
    assert shown["authentication"]["anonymous"] == {"enabled": False}
    assert "systemReserved" not in shown, "what is not set is not shown"
