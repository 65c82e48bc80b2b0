"""Which toleration covers which taint."""

import pytest

from minikube_py.api.taints import HARD_EFFECTS, find_untolerated, tolerates

TAINT = {"key": "k", "value": "v", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("toleration", "expected"),
    [
        pytest.param({"key": "k", "value": "v", "effect": "NoSchedule"}, True, id="equal"),
        pytest.param({"key": "k", "operator": "Equal", "value": "w"}, False, id="other value"),
        pytest.param({"key": "k", "operator": "Exists"}, True, id="exists"),
        pytest.param({"operator": "Exists"}, True, id="everything"),
        pytest.param({"key": "k", "operator": "Exists", "effect": "NoExecute"}, False, id="other effect"),
        pytest.param({"key": "other", "operator": "Exists"}, False, id="other key"),
        pytest.param({"value": "v"}, False, id="equal needs a key"),
    ],
)
def test_a_toleration_covers_what_upstreams_does(toleration, expected) -> None:
    assert tolerates(toleration, TAINT) is expected


def test_the_first_hard_taint_without_toleration_is_found() -> None:
    soft = {"key": "s", "effect": "PreferNoSchedule"}

    assert find_untolerated([soft, TAINT], [], HARD_EFFECTS) == TAINT
    assert find_untolerated([soft, TAINT], [{"key": "k", "operator": "Exists"}], HARD_EFFECTS) is None
