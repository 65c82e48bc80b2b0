import pytest

from minikube_py.api.rules.label_selectors import validate_label_selector


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
