import pytest

from minikube_py.kubelet.container import Container, ContainerPort
from minikube_py.kubelet.handlers import ExecAction, HttpGetAction
from minikube_py.kubelet.hooks import decode_handler, encode_handler, hook_url, remaining_grace_s

CONTAINER = Container("c", "regular", "i", ports=(ContainerPort("http", 8080, 0, "TCP"),))


@pytest.mark.parametrize(
    ("action", "url"),
    [
        (HttpGetAction("/x", 80, "", "http", ()), "http://10.244.0.2:80/x"),
        (HttpGetAction("x", "http", "", "https", ()), "https://10.244.0.2:8080/x"),
        (HttpGetAction("/", 80, "fd00::1", "http", ()), "http://[fd00::1]:80/"),
        (HttpGetAction("/", "none", "", "http", ()), None),
    ],
)
def test_the_url_of_a_hook(action, url):
    assert hook_url(action, "10.244.0.2", CONTAINER) == url


@pytest.mark.parametrize(
    ("grace_s", "used_s", "left_s"),
    [(30.0, 0.0, 30.0), (30.0, 10.0, 20.0), (30.0, 29.0, 2.0), (30.0, 40.0, 2.0), (1.0, 5.0, 1.0)],
)
def test_a_hook_leaves_at_least_two_seconds_for_the_process(grace_s, used_s, left_s):
    assert remaining_grace_s(grace_s, used_s) == left_s


def test_a_hook_is_remembered_as_text():
    raw = {"exec": {"command": ["a", "b"]}}

    assert decode_handler(encode_handler(raw)) == ExecAction(("a", "b"))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_what_cannot_be_read_is_no_hook(text):
    assert decode_handler(text) is None
