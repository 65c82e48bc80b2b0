from minikube_py.kubelet.pod import parse_pod
from minikube_py.kubelet.pod_sources import is_static, received_from_api


def pod(**annotations):
    return parse_pod({"metadata": {"name": "p", "annotations": annotations}, "spec": {}})


def test_a_pod_of_the_api_has_the_kubelets_notes_beside_its_own_annotations():
    received = received_from_api(pod(a="1"), "2026-01-01T00:00:00.000000Z")

    assert received.annotations == {
        "a": "1",
        "kubernetes.io/config.seen": "2026-01-01T00:00:00.000000Z",
        "kubernetes.io/config.source": "api",
    }


def test_a_pod_of_the_api_never_passes_for_a_static_one():
    claimed = pod(**{"kubernetes.io/config.source": "file"})

    assert is_static(claimed)
    assert not is_static(received_from_api(claimed, "T"))
    assert not is_static(pod())
