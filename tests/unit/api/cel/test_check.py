import pytest

from minikube_py.api.cel.check import DYN, Simple, infer
from minikube_py.api.cel.parser import parse
from minikube_py.api.cel.syntax import CelSyntaxError
from minikube_py.api.custom.rule_values import NodeShape

SELF = NodeShape(
    {
        "type": "object",
        "properties": {
            "size": {"type": "integer"},
            "ratio": {"type": "number"},
            "name": {"type": "string"},
            "on": {"type": "boolean"},
            "rows": {"type": "array", "items": {"type": "object", "properties": {"port": {"type": "integer"}}}},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "any": {"x-kubernetes-int-or-string": True},
        },
    }
)


def kind_of(source):
    return infer(parse(source), {"self": SELF, "other": DYN}, source).kind


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("self.size", "int"),
        ("self.size + 1 > 3", "bool"),
        ("self.ratio > 1", "bool"),
        ("self.rows.all(r, r.port > 0)", "bool"),
        ("self.rows.map(r, r.port)", "list"),
        ("self.rows[0].port", "int"),
        ("self.labels['a']", "string"),
        ("self.labels.all(k, k != '')", "bool"),
        ("self.?name", "optional_type"),
        ("self.any == 1 || self.any == 'x'", "bool"),
        ("other.whatever.there.is", "dyn"),
        ("size(self.rows)", "int"),
        ("cel.bind(x, self.size, x + 1)", "int"),
        ("self.on ? 1 : 2", "int"),
        ("has(self.name)", "bool"),
        ("[1, 2]", "list"),
        ("{'a': 1}", "map"),
        ("Object{spec: 1}", "Object"),
        ("self.rows.filter(r, r.port > 1)[0].port", "int"),
    ],
)
def test_a_type_is_found(source, kind):
    assert kind_of(source) == kind


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("self.bogus", "undefined field 'bogus'"),
        ("has(self.bogus)", "undefined field 'bogus'"),
        ("self.rows.all(r, r.bogus == 1)", "undefined field 'bogus'"),
        ("self.size == 'x'", "found no matching overload for '_==_' applied to '(int, string)'"),
        ("self.size + self.ratio", "found no matching overload for '_+_' applied to '(int, double)'"),
        ("self.name && true", "found no matching overload for '_&&_' applied to '(string, bool)'"),
        ("self.name.x", "type 'string' does not support field selection"),
        ("self.rows.all(r, r.port)", "expected type 'bool' but found 'int'"),
        ("self.size.all(x, true)", "expression of type 'int' cannot be range of a comprehension"),
        ("self.size ? 1 : 2", "found no matching overload"),
    ],
)
def test_a_mistake_is_found(source, why):
    with pytest.raises(CelSyntaxError) as refused:
        kind_of(source)
    assert why in str(refused.value)


def test_simple_types_lead_to_what_is_in_them():
    assert Simple("map", Simple("int")).field("x") == Simple("int")
    assert Simple("list").item() == DYN
