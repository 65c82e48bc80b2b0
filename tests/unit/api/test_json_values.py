import pytest

from minikube_py.api.json_values import is_same_json


@pytest.mark.parametrize(
    ("old", "value", "same"),
    [
        ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}, True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": [True]}, {"a": [1]}, False),
        ({"a": {"b": 0}}, {"a": {"b": False}}, False),
        (1, True, False),
        ("a", "b", False),
        (1, 1.0, False),
        ({"a": 1}, {"a": 1.0}, False),
    ],
)
def test_true_is_not_one_however_deep_it_stands(old, value, same):
    assert is_same_json(old, value) is same
