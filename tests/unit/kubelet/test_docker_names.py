import pytest
from hypothesis import given
from hypothesis import strategies as st

from minikube_py.kubelet.cri import PodIdentity
from minikube_py.kubelet.docker_names import (
    ParsedName,
    annotations_of,
    container_name,
    parse_name,
    pod_labels_of,
    pod_of,
    render_labels,
    sandbox_name,
)

POD = PodIdentity("kube-system", "dns-5f6", "0a1b")
NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,60}[a-z0-9])?", fullmatch=True)


def test_names_are_those_of_dockershim():
    assert sandbox_name(POD, 0) == "k8s_POD_dns-5f6_kube-system_0a1b_0"
    assert container_name(POD, "server", 12) == "k8s_server_dns-5f6_kube-system_0a1b_12"


@given(NAMES, NAMES, NAMES, NAMES, st.integers(0, 10**6))
def test_a_name_can_be_read_back(container, pod, namespace, uid, attempt):
    identity = PodIdentity(namespace, pod, uid)

    assert parse_name("/" + container_name(identity, container, attempt)) == ParsedName(container, identity, attempt)


def test_a_name_with_a_random_end_is_read_too():
    assert parse_name("/k8s_c_p_n_u_3_x7gk2bcd") == ParsedName("c", PodIdentity("n", "p", "u"), 3)


@pytest.mark.parametrize(
    "name", ["/busy_borg", "/k8s_a_b", "/k8s_c_p_n_u_x", "/x8s_c_p_n_u_0", "/k8s_c_p_n_u_0_r_s", ""]
)
def test_a_strangers_name_is_none(name):
    assert parse_name(name) is None


def test_labels_say_whose_the_container_is_and_are_read_back():
    own = {
        "io.kubernetes.container.name": "server",
        "io.kubernetes.docker.type": "container",
        "minikube-py.node": "n1",
    }
    labels = render_labels(POD, own, {"app": "dns"}, {"io.kubernetes.container.hash": "f00"})

    assert labels == {
        "app": "dns",
        "annotation.io.kubernetes.container.hash": "f00",
        "io.kubernetes.container.name": "server",
        "io.kubernetes.docker.type": "container",
        "io.kubernetes.pod.name": "dns-5f6",
        "io.kubernetes.pod.namespace": "kube-system",
        "io.kubernetes.pod.uid": "0a1b",
        "minikube-py.node": "n1",
    }
    assert pod_of(labels) == POD
    assert pod_labels_of(labels) == {"app": "dns"}
    assert annotations_of(labels) == {"io.kubernetes.container.hash": "f00"}


def test_a_pods_label_cannot_pretend_to_be_another_pods():
    labels = render_labels(POD, {}, {"io.kubernetes.pod.uid": "other", "io.kubernetes.pod.name": "other"}, {})

    assert pod_of(labels) == POD
