"""What cannot be applied is named with its path."""

import pytest

from minikube_py.api.schema import schema_of
from minikube_py.api.typed_check import check_types
from minikube_py.api.typed_walk import WalkError

POD = schema_of("v1", "Pod")


def spec(**fields):
    return {"spec": fields}


@pytest.mark.parametrize(
    ("pod", "text"),
    [
        (spec(bogus=1), r"\.spec\.bogus: field not declared in schema"),
        (spec(containers={}), r"\.spec\.containers: expected list, got \{\}"),
        (spec(nodeName=1), r"\.spec\.nodeName: expected string, got 1"),
        (spec(hostNetwork="x"), "expected boolean"),
        (spec(activeDeadlineSeconds="x"), "expected numeric"),
        (spec(activeDeadlineSeconds=True), "expected numeric"),
        (spec(containers=[{"name": "c"}, {"name": "c"}]), r"duplicate entries for key \[name=\"c\"\]"),
        (spec(containers=[{"name": "c", "bogus": 1}]), r"containers\[name=\"c\"\]\.bogus: field not declared"),
        (spec(nodeSelector=[]), "expected map"),
    ],
    ids=str,
)
def test_what_does_not_fit_the_schema_is_named_with_its_path(pod, text):
    with pytest.raises(WalkError, match=text):
        check_types(pod, POD)


def test_null_fits_everywhere():
    check_types(spec(containers=None, nodeName=None), POD)
