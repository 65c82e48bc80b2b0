"""Selectors of objects: what no selector, an empty one and each operator select."""

import pytest

from minikube_py.api.object_selectors import compile_expressions, compile_label_selector, selects


@pytest.mark.parametrize(
    ("selector", "labels", "expected"),
    [
        pytest.param(None, {}, False, id="no selector selects nothing"),
        pytest.param({}, {"a": "b"}, True, id="an empty one selects everything"),
        pytest.param({"matchLabels": {"a": "b"}}, {"a": "b", "c": "d"}, True, id="labels"),
        pytest.param({"matchLabels": {"a": "b"}}, {"a": "x"}, False, id="other value"),
        pytest.param(
            {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}, {"a": "b"}, True, id="In"
        ),
        pytest.param(
            {"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]}, {}, True, id="NotIn"
        ),
        pytest.param({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, {}, False, id="Exists"),
        pytest.param({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, {}, True, id="DoesNotExist"),
        pytest.param({"matchExpressions": [{"key": "a", "operator": "Near"}]}, {"a": "b"}, False, id="unknown"),
    ],
)
def test_a_selector_selects_what_upstreams_does(selector, labels, expected) -> None:
    assert selects(compile_label_selector(selector), labels) is expected


def test_node_expressions_compare_numbers() -> None:
    more_than_four = compile_expressions([{"key": "cores", "operator": "Gt", "values": ["4"]}])

    assert selects(more_than_four, {"cores": "8"})
    assert not selects(more_than_four, {"cores": "4"})
    assert not selects(more_than_four, {"cores": "many"})
    assert compile_expressions([{"key": "cores", "operator": "Gt", "values": ["x"]}]) is None
