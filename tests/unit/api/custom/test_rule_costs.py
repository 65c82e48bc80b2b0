"""What rules cost at the most: the figures of upstream's TestCostEstimation, and what 1.36 was seen to refuse."""

from functools import partial

import pytest

from minikube_py.api.cel.estimate import estimate_cost_max
from minikube_py.api.cel.parser import parse
from minikube_py.api.custom.rule_costs import size_at
from minikube_py.api.custom.rule_values import NodeShape
from minikube_py.api.custom.validation_rules import check_rules

TOTAL = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
TYPES = {
    "int-or-string": {"x-kubernetes-int-or-string": True},
    "duration": {"type": "string", "format": "duration"},
    "date": {"type": "string", "format": "date"},
    "date-time": {"type": "string", "format": "date-time"},
}


def typed(kind):
    return TYPES.get(kind, {"type": kind})


def a_list(kind, most=None):
    return {"type": "array", "items": typed(kind), **({"maxItems": most} if most is not None else {})}


def a_map(kind, most=None):
    bound = {"maxProperties": most} if most is not None else {}
    return {"type": "object", "additionalProperties": typed(kind), **bound}


def a_text(kind="string", most=None):
    return {**typed(kind), **({"maxLength": most} if most is not None else {})}


def texts(kind, most=None):
    return {**a_list(kind, most), "items": a_text(kind, most)}


def two_texts(kind, most=None):
    return {"type": "object", "properties": {"str": a_text(kind, most), "separator": a_text(kind, most)}}


def to_replace(kind, most=None):
    named = {"str": a_text(kind, most), "before": a_text(kind, 2), "after": a_text(kind, 4)}
    return {"type": "object", "properties": named}


def cost(node, rule):
    shape = NodeShape(node)
    return estimate_cost_max(parse(rule), {"self": shape, "oldSelf": shape}, partial(size_at, shape), rule)


@pytest.mark.parametrize(
    ("make", "kind", "rule", "unbounded", "bound", "bounded"),
    [
        (a_list, "number", "self.all(x, true)", 4718591, 10, 32),
        (a_list, "string", "self.all(x, true)", 3145727, 20, 62),
        (a_list, "boolean", "self.all(x, true)", 1887437, 5, 17),
        (a_list, "duration", "self.all(x, true)", 2359295, 5, 17),
        (a_list, "date", "self.all(x, true)", 725936, 15, 47),
        (a_list, "date-time", "self.all(x, true)", 428963, 25, 77),
        (a_list, "int-or-string", "self.all(x, true)", 4718591, 10, 32),
        (a_list, "number", "self.all(x, x == 0.0)", 6291454, 3 * 1024 * 2048, 25165826),
        (a_list, "number", "self.all(x, self.all(y, true))", None, 10, 352),
        (a_list, "number", "self.all(x, self.all(y, self.all(z, true)))", None, 10, 3552),
        (a_list, "number", "self[1] == 0.0", 2, 5000, 2),
        (a_list, "string", "self[1] == self[1]", 314577, 8, 314577),
        (a_list, "int-or-string", "self[0] == 5", 3, 10, 3),
        (a_list, "duration", "self[0].getHours() == 2", 4, 525, 4),
        (a_list, "date", "self[2].getDayOfMonth() == 13", 4, 42, 4),
        (a_map, "number", "self.all(x, true)", 1348169, 10, 32),
        (a_map, "string", "self.all(x, true)", 1179647, 3, 11),
        (a_map, "boolean", "self.all(x, true)", 943718, 100, 302),
        (a_map, "date", "self.all(x, true)", 524288, 10, 32),
        (a_map, "integer", "oldSelf.size() == self.size()", 5, 10, 5),
        (a_map, "date-time", 'self["a"] == self["b"]', 8, 7, 8),
        (a_map, "number", 'self["x"] == 0.0', 2, 0, 2),
        (a_text, "string", "self.contains('test')", 314574, 10, 5),
        (a_text, "string", "self.startsWith('test')", 2, 15, 2),
        (a_text, "string", 'size(self + "hello") > size("hello")', 314578, 4, 7),
        (a_text, "string", 'self.matches("x")', 314574, 50, 22),
        (a_text, "string", '"".matches("(((((((((())))))))))[0-9]")', 7, 10, 7),
        (a_text, "string", 'self.matches("")', 1, 100, 1),
        (a_text, "string", 'self == "x"', 2, 0, 1),
        (a_text, "string", "self.find('[0-9]+') == ''", 629147, 10, 11),
        (a_text, "string", "self.lowerAscii() == 'lower!'", 314575, 10, 6),
        (texts, "string", "self.join(' ') == 'aa bb'", 329853068905, 10, 43),
        (texts, "string", "self.isSorted() == true", 329854432052, 10, 52),
        (to_replace, "string", "self.str.replace(self.before, self.after) == 'does not matter'", 629154, 4, 12),
        (two_texts, "string", "self.str.split(self.separator) == []", 629160, 10, 22),
    ],
)
def test_a_rule_costs_what_upstream_says(make, kind, rule, unbounded, bound, bounded):
    if unbounded is None:
        assert cost(make(kind), rule) > 10_000_000
    else:
        assert cost(make(kind), rule) == unbounded
    assert cost(make(kind, bound), rule) == bounded


OBJECTS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["y", "z"],
        "properties": {"y": {"type": "string"}, "z": {"type": "integer", "default": 1}, "x": {"type": "string"}},
    },
}


def test_the_smallest_object_has_what_is_required_and_not_defaulted():
    # {"y":""}: 2 for the braces, and 1 + 2 + 4 for what must be there; a comma after each
    assert cost(OBJECTS, "self.all(x, true)") == 2 + 3 * ((3145728 - 2) // (9 + 1))


def test_an_enum_is_as_long_as_its_longest_value():
    choices = {"type": "string", "enum": ["A", "B", "C", "LongValue"]}
    assert cost(choices, "self.contains('A')") == 2
    assert cost({**choices, "maxLength": 1000}, "self.contains('A')") == 401


def test_a_presence_test_costs_nothing_beside_what_it_looks_into():
    assert cost(a_map("number"), "has(self.x)") == 1


def test_keys_of_maps_are_taken_to_be_short_and_fields_of_maps_as_large_as_can_be():
    assert cost(a_map("string", 10), "self.all(x, x.contains(self[x]))") == 72
    assert cost({"type": "array", "items": a_map("number"), "maxItems": 12}, "self.all(x, x.y == 25.2)") == 74


def faults_of(node):
    checked = {"type": "object", "properties": {"spec": node}}
    found = check_rules(checked, "schema")
    return [(fault.field.removeprefix("schema"), fault.reason, fault.detail.partition(" (try")[0]) for fault in found]


def with_rule(node, rule, **more):
    return {**node, "x-kubernetes-validations": [{"rule": rule, **more}]}


def echo(message, expected):
    item = {"type": "object", "properties": {"message": a_text(most=message), "contains": a_text(most=expected)}}
    rule = "!has(self.contains) || !self.message.contains(self.contains)"
    return {"type": "array", "maxItems": 20, "items": with_rule(item, rule)}


def test_what_was_measured_on_a_real_server_is_refused_and_taken_alike():
    where = ".properties[spec].items.x-kubernetes-validations[0].rule"
    said = "estimated rule cost exceeds budget by factor of 5.4x"
    assert faults_of(echo(4096, 4096)) == [(where, "FieldValueForbidden", said)]
    for message, expected in ((1024, 1024), (4096, 512), (4096, 256), (4096, 128)):
        assert faults_of(echo(message, expected)) == []


def test_a_rule_in_a_list_without_a_bound_counts_as_often_as_a_request_can_hold_items():
    rule = "self.contains('keyword')"
    one, total, _ = faults_of({"type": "array", "items": with_rule(a_text(most=500000), rule)})
    assert one[2] == "estimated rule cost exceeds budget by factor of more than 100x"
    assert total[2] == "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"


def test_an_expression_for_the_message_is_counted_too():
    said = "'min (' + string(self.min) + ')'"
    node = {"type": "object", "properties": {"min": {"type": "integer"}}}
    where = ".properties[spec].x-kubernetes-validations[0].messageExpression"
    found = faults_of(with_rule(node, "self.min > 0", messageExpression=said))
    assert [(field, detail) for field, _, detail in found] == [
        (where, "estimated messageExpression cost exceeds budget by factor of more than 100x"),
        (where, "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"),
        ("", f"{TOTAL} exceeds budget by factor of more than 100x"),
    ]
    formatted = "'min (%d)'.format([self.min])"
    assert faults_of(with_rule(node, "self.min > 0", messageExpression=formatted)) == []


def test_many_rules_that_are_fine_alone_may_be_too_much_together():
    each = {
        f"f{number}": with_rule(a_list("number"), "self.all(x, x == 0.0)")  # 6.3 of 100 million
        for number in range(17)
    }
    found = faults_of({"type": "object", "properties": each})
    assert len(found) == 5
    assert found[-1][2].endswith("exceeds budget by factor of 1.069547x")
    each.popitem(), each.popitem()
    assert faults_of({"type": "object", "properties": each}) == []
