from hypothesis import given
from hypothesis import strategies as st

from minikube_py.api.resources import PODS
from minikube_py.api.selectors import parse_field_selector, parse_label_selector
from minikube_py.apiserver.list_options import Filter
from minikube_py.apiserver.selection_index import IndexName, SelectionIndex, Wanted, equalities

PREFIX = PODS.storage_prefix
APP = IndexName("label", "app")


def a_pod(app=None, node=""):
    labels = {"app": app} if app is not None else {}
    return {"metadata": {"labels": labels}, "spec": {"nodeName": node} if node else {}}


def an_index(*values):
    index = SelectionIndex(APP)
    for number, value in enumerate(values):
        index.note(PODS, f"{PREFIX}default/p{number}", a_pod(value))
    return index


def test_only_equalities_can_be_looked_up():
    filter_ = Filter(
        "default",
        parse_label_selector("app=web,tier in (a,b),!x,y!=z,w"),
        parse_field_selector("spec.nodeName=n1,status.phase!=Failed"),
    )

    assert equalities(filter_) == (
        Wanted(IndexName("field", "spec.nodeName"), ("n1",)),
        Wanted(IndexName("label", "app"), ("web",)),
        Wanted(IndexName("label", "tier"), ("a", "b")),
    )


def test_keys_come_in_order_below_the_prefix_and_after_the_key():
    index = an_index("b", "a", "b", None, "b")

    assert index.keys(("b",), PREFIX, "") == [f"{PREFIX}default/p{n}" for n in (0, 2, 4)]
    assert index.keys(("b",), PREFIX, f"{PREFIX}default/p0") == [f"{PREFIX}default/p{n}" for n in (2, 4)]
    assert index.keys(("a", "b", "a"), PREFIX, "") == [f"{PREFIX}default/p{n}" for n in (0, 1, 2, 4)]
    assert index.keys(("b",), f"{PREFIX}other/", "") == []
    assert index.count(("b", "a", "b")) == 4


def test_an_object_without_the_label_is_found_under_nothing():
    assert an_index(None).count(("",)) == 0


def test_an_absent_field_is_the_empty_text():
    index = SelectionIndex(IndexName("field", "spec.nodeName"))
    index.note(PODS, "a", a_pod())
    index.note(PODS, "b", a_pod(node="n1"))

    assert index.keys(("",), "", "") == ["a"]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.one_of(st.none(), st.sampled_from("abc")), st.booleans()), max_size=40)
)
def test_it_holds_what_was_noted_last(notes):
    index, model = SelectionIndex(APP), {}
    for number, value, gone in notes:
        key = f"k{number}"
        index.note(PODS, key, None if gone else a_pod(value))
        model[key] = None if gone else value

    for value in "abc":
        assert index.keys((value,), "", "") == sorted(key for key, kept in model.items() if kept == value)
    assert index.count(("a", "b", "c")) == sum(value is not None for value in model.values())
