from minikube_py.kubelet.io.pod_state import PodState
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_runtime_status import EMPTY


def test_a_change_before_the_first_look_makes_that_look_ask_the_runtime():
    pod = Pod("default", "web", "u-1", {"metadata": {"namespace": "default", "name": "web", "uid": "u-1"}})
    state = PodState(pod, 0.0, at_start=EMPTY)
    assert state.at_start is EMPTY
    state.note_runtime_change()

    assert state.at_start is None
    assert not state.status_is_current
