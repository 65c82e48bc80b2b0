import pytest

from minikube_py.kubelet.container import VolumeMount
from minikube_py.kubelet.sub_paths import sub_path_of
from minikube_py.kubelet.volumes import VolumeError

VARIABLES = {"POD": "web-0", "EMPTY": "", "UP": "..", "ROOT": "/x"}


def path(sub_path="", expression=""):
    return sub_path_of(VolumeMount("v", "/v", False, sub_path, expression, "None"), VARIABLES)


def test_a_path_is_itself_or_its_expression():
    assert (path(), path("a/b"), path(expression="logs/$(POD)"), path(expression="$$(POD)")) == (
        "",
        "a/b",
        "logs/web-0",
        "$(POD)",
    )


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("$(NONE)/$(EMPTY)", "missing value for EMPTY, NONE"),
        ("$(ROOT)", "error SubPath `/x` must not be an absolute path"),
        ("a/$(UP)", "unable to provision SubPath `a/..`: must not contain '..'"),
    ],
)
def test_what_is_wrong_is_said_in_upstreams_words(expression, message):
    with pytest.raises(VolumeError) as refused:
        path(expression=expression)
    assert str(refused.value) == message
