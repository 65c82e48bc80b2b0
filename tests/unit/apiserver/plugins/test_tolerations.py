import pytest

from minikube_py.api.resources import PODS
from minikube_py.apiserver.config import ApiServerConfig
from minikube_py.apiserver.plugins.tolerations import add_default_tolerations, covers, merge_tolerations
from minikube_py.testing.built_in_admission import Request, admit

NOT_READY, UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"


def test_a_pod_stays_five_minutes_on_a_node_that_is_not_ready():
    made = admit(Request(PODS), {"metadata": {"name": "p", "namespace": "n"}})
    assert [(t["key"], t["effect"], t["tolerationSeconds"]) for t in made["spec"]["tolerations"]] == [
        (NOT_READY, "NoExecute", 300),
        (UNREACHABLE, "NoExecute", 300),
    ]


def test_how_long_can_be_set_for_each_of_the_two():
    spec = {}
    add_default_tolerations(
        spec, ApiServerConfig(default_not_ready_toleration_s=3, default_unreachable_toleration_s=0)
    )
    assert [(t["key"], t["tolerationSeconds"]) for t in spec["tolerations"]] == [(NOT_READY, 3), (UNREACHABLE, 0)]


def test_a_pod_that_tolerates_everything_gets_no_further_tolerations():
    spec = {"tolerations": [{"operator": "Exists"}]}
    add_default_tolerations(spec, ApiServerConfig())
    assert spec == {"tolerations": [{"operator": "Exists"}]}


def test_a_toleration_of_another_effect_does_not_count():
    spec = {"tolerations": [{"key": NOT_READY, "operator": "Exists", "effect": "NoSchedule"}]}
    add_default_tolerations(spec, ApiServerConfig())
    assert len(spec["tolerations"]) == 3


@pytest.mark.parametrize(
    ("wide", "narrow", "covered"),
    [
        ({"operator": "Exists"}, {"key": "a", "operator": "Equal", "value": "b"}, True),
        ({"key": "a", "operator": "Exists"}, {"key": "b", "operator": "Exists"}, False),
        ({"key": "a", "operator": "Exists"}, {"key": "a", "operator": "Equal", "value": "v"}, True),
        ({"key": "a", "value": "v"}, {"key": "a", "operator": "Exists"}, False),
        ({"key": "a", "operator": "Exists", "effect": "NoSchedule"}, {"key": "a", "operator": "Exists"}, False),
        (
            {"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 10},
            {"key": "a", "operator": "Exists", "effect": "NoExecute"},
            False,
        ),
    ],
)
def test_one_toleration_may_cover_another(wide, narrow, covered):
    assert covers(wide, narrow) is covered


def test_merging_drops_what_is_covered_and_keeps_the_first_of_equals():
    narrow, wide = {"key": "a", "operator": "Exists", "effect": "NoExecute"}, {"key": "a", "operator": "Exists"}
    assert merge_tolerations([narrow], [wide, dict(wide)]) == [wide]
