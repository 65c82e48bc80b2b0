"""Rules are put together: metadata first, and other versions by way of what is stored."""

from minikube_py.api.rules.faults import required
from minikube_py.api.rules.rule_sets import convert_rules, default, default_text, make_rules, start_with


def check(obj):
    if not obj.get("a"):
        yield required("a")


def check_update(new, old):
    if new.get("a") != old.get("a"):
        yield required("changed")


RULES = make_rules(check, check_update, prepare_create=start_with({"phase": "New"}))


def test_metadata_comes_first_and_an_update_is_compared():
    bad = {"metadata": {"name": "A_"}}
    old, new = {"metadata": {"name": "x"}, "a": 1}, {"metadata": {"name": "x"}, "a": 2}

    assert [fault.field for fault in RULES.validate(bad)] == ["metadata.name", "a"]
    assert [fault.field for fault in RULES.validate_update(new, old)] == ["changed"]
    assert RULES.validate_update(old, old) == ()


def test_a_status_that_was_sent_is_replaced_by_one_of_its_own():
    first, second = {"status": {"phase": "Old"}}, {}
    RULES.prepare_create(first)
    RULES.prepare_create(second)
    first["status"]["phase"] = "Changed"

    assert second == {"status": {"phase": "New"}}


def test_defaults_keep_zeros_and_texts_do_not():
    obj = {"number": 0, "text": ""}
    default(obj, "number", 5)
    default(obj, "other", 5)
    default_text(obj, "text", "x")

    assert obj == {"number": 0, "other": 5, "text": "x"}


def test_another_version_is_judged_as_what_is_stored():
    def to_stored(obj):
        return {**{k: v for k, v in obj.items() if k != "b"}, "a": obj.get("b")}

    def from_stored(obj):
        return {**{k: v for k, v in obj.items() if k != "a"}, "b": obj.get("a")}

    other = convert_rules(RULES, to_stored, from_stored, lambda obj: default(obj, "b", 7))
    obj = {"metadata": {"name": "x"}}
    other.set_defaults(obj)
    other.prepare_create(obj)

    assert obj == {"metadata": {"name": "x"}, "b": 7, "status": {"phase": "New"}}
    assert other.validate(obj) == ()
    assert [fault.field for fault in other.validate_update({**obj, "b": 8}, obj)] == ["changed"]
    other.prepare_update(obj, dict(obj))
    assert obj["b"] == 7
