import orjson
import pytest

from minikube_py.api.errors import GoneError
from minikube_py.api.resources import PODS
from minikube_py.api.selectors import parse_label_selector
from minikube_py.apiserver.canonical import canonical, stamp
from minikube_py.apiserver.list_options import Filter
from minikube_py.apiserver.negotiate import PLAIN, AnswerForm
from minikube_py.apiserver.watch_events import (
    Form,
    WatchedChange,
    as_chunk,
    bookmark,
    bookmark_body,
    error_body,
    event_line,
    initial_change,
)
from minikube_py.store.interface import Entry, StoreEvent

KEY = "/registry/core/pods/n/p"
BLUE = Filter(labels=parse_label_selector("color=blue"))
TABLE = AnswerForm("json", "Table")


def an_entry(color, revision):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "n", "labels": {"color": color}}}
    return Entry(KEY, stamp(canonical(pod), revision), 1, revision)


def a_change(before, after):
    """A change in revision 7 of a pod from one color to another; None: it is not there."""
    old = an_entry(before, 3) if before else None
    new = an_entry(after, 7) if after else None
    last = stamp(old.value, 7) if new is None else b""
    return WatchedChange(PODS, StoreEvent(7, KEY, new, old, last))


@pytest.mark.parametrize(
    ("before", "after", "everything", "blue"),
    [
        (None, "blue", "ADDED", "ADDED"),
        (None, "red", "ADDED", None),
        ("blue", "blue", "MODIFIED", "MODIFIED"),
        ("red", "blue", "MODIFIED", "ADDED"),
        ("blue", "red", "MODIFIED", "DELETED"),
        ("red", "red", "MODIFIED", None),
        ("blue", None, "DELETED", "DELETED"),
        ("red", None, "DELETED", None),
    ],
)
def test_a_filter_sees_what_enters_and_leaves_it(before, after, everything, blue):
    change = a_change(before, after)
    assert change.type_for(Filter()) == everything
    assert change.type_for(BLUE) == blue


def test_an_object_that_leaves_a_filter_is_shown_as_it_was_with_the_revision_of_the_change():
    change = a_change("blue", "red")
    gone = change.obj("DELETED")
    assert gone["metadata"]["labels"] == {"color": "blue"}
    assert gone["metadata"]["resourceVersion"] == "7"
    assert orjson.loads(change.value("DELETED")) == gone
    assert change.obj("MODIFIED")["metadata"]["labels"] == {"color": "red"}


def test_a_deleted_object_is_shown_as_it_was_with_the_revision_of_the_deletion():
    gone = a_change("blue", None).obj("DELETED")
    assert (gone["metadata"]["labels"], gone["metadata"]["resourceVersion"]) == ({"color": "blue"}, "7")


def test_what_is_there_is_an_addition():
    change = initial_change(PODS, an_entry("blue", 3))
    assert change.type_for(Filter()) == "ADDED"
    assert change.obj("ADDED")["metadata"]["resourceVersion"] == "3"


def test_an_event_is_one_line_in_one_chunk_and_is_made_once():
    change = a_change(None, "blue")
    form = Form(PLAIN)
    chunk = change.chunk("ADDED", form, lambda: 0.0)
    size, _, rest = chunk.partition(b"\r\n")
    line = rest[: int(size, 16)]
    assert rest[int(size, 16) :] == b"\r\n"
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert orjson.loads(line) == {"type": "ADDED", "object": change.obj("ADDED")}
    assert change.chunk("ADDED", form, lambda: 0.0) is chunk


def test_a_table_watch_names_its_columns_once():
    change = a_change(None, "blue")
    first = change.chunk("ADDED", Form(TABLE, headers=True), lambda: 0.0)
    later = change.chunk("ADDED", Form(TABLE, headers=False), lambda: 0.0)
    assert b'"columnDefinitions":[' in first
    assert b'"columnDefinitions":null' in later


def test_a_bookmark_carries_the_version_and_nothing_else():
    mark = bookmark(PODS, 9, initial_end=True)
    assert mark == {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"resourceVersion": "9", "annotations": {"k8s.io/initial-events-end": "true"}},
    }
    assert orjson.loads(bookmark_body(PODS, mark, PLAIN)) == mark
    assert orjson.loads(bookmark_body(PODS, mark, TABLE))["metadata"] == mark["metadata"]
    partial = orjson.loads(bookmark_body(PODS, mark, AnswerForm("json", "PartialObjectMetadata")))
    assert partial["kind"] == "PartialObjectMetadata"


def test_an_error_event_holds_a_status():
    status = orjson.loads(event_line("ERROR", error_body(GoneError("too old"))))
    assert status["type"] == "ERROR"
    assert (status["object"]["code"], status["object"]["reason"]) == (410, "Expired")


def test_a_chunk_says_its_length_in_hexadecimal():
    assert as_chunk(b"x" * 17) == b"11\r\n" + b"x" * 17 + b"\r\n"
