import pytest

from minikube_py.api.custom.columns import columns_of

NOW_S = 1_000_000_000.0
OBJ = {
    "metadata": {"name": "w", "creationTimestamp": "2001-09-09T01:45:40Z"},
    "spec": {"size": 3, "ratio": 0.5, "on": True, "text": "t", "map": {"a": 1}, "when": "2001-09-09T01:46:30Z"},
    "status": {"conditions": [{"type": "A", "status": "False"}, {"type": "Ready", "status": "True"}]},
}


def cell(kind, path):
    columns = columns_of({"additionalPrinterColumns": [{"name": "X", "type": kind, "jsonPath": path, "priority": 1}]})
    assert [column.name for column in columns] == ["Name", "X"]
    assert columns[1].priority == 1
    return columns[1].cell(OBJ, NOW_S)


@pytest.mark.parametrize(
    ("kind", "path", "shown"),
    [
        ("integer", ".spec.size", 3),
        ("integer", ".spec.text", None),
        ("number", ".spec.ratio", 0.5),
        ("boolean", ".spec.on", True),
        ("string", ".spec.text", "t"),
        ("string", ".spec.size", "3"),
        ("string", ".spec.on", "true"),
        ("string", ".spec.map", '{"a":1}'),
        ("string", ".spec.none", None),
        ("string", '.status.conditions[?(@.type=="Ready")].status', "True"),
        ("date", ".spec.when", "10s"),
        ("date", ".spec.text", "<invalid>"),
    ],
)
def test_a_cell_shows_what_its_path_finds_as_its_type(kind, path, shown):
    assert cell(kind, path) == shown


def test_without_columns_of_its_own_it_has_an_age():
    assert [column.name for column in columns_of({})] == ["Name", "Age"]
