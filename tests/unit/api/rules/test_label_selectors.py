import pytest

from minikube_py.api.rules.label_selectors import selects_labels, validate_label_selector


def expression(operator, *values, key="a"):
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("selector", "fields"),
    [
        ({"matchLabels": {"a": "b"}}, []),
        (expression("In", "x"), []),
        ({"matchLabels": {"a": "b c"}}, ["s.matchLabels"]),
        (expression("In"), ["s.matchExpressions[0].values"]),
        (expression("Exists", "x"), ["s.matchExpressions[0].values"]),
        (expression("Gt", "1"), ["s.matchExpressions[0].operator"]),
        (expression("In", "x y"), ["s.matchExpressions[0].values[0]"]),
        (expression("Exists", key="a b"), ["s.matchExpressions[0].key"]),
    ],
    ids=str,
)
def test_each_fault_names_its_field(selector, fields):
    assert [f.field for f in validate_label_selector(selector, "s")] == fields


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ({}, True),
        ({"matchLabels": {"a": "1"}}, True),
        ({"matchLabels": {"a": "2"}}, False),
        (expression("In", "1", "2"), True),
        (expression("NotIn", "1"), False),
        (expression("NotIn", "1", key="b"), True),
        (expression("Exists"), True),
        (expression("Exists", key="b"), False),
        (expression("DoesNotExist", key="b"), True),
        (expression("Like", "1"), False),
    ],
    ids=str,
)
def test_a_selector_selects_by_all_its_parts(selector, selected):
    assert selects_labels(selector, {"a": "1"}) is selected
