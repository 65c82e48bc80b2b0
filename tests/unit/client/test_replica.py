"""A collection as it was last seen, and the way to a file and back."""

import pytest

from minikube_py.api.resources import PODS, SERVICES
from minikube_py.client.interface import EVERYTHING, ObjectList, Selection, WatchEvent
from minikube_py.client.replica import Collection, decode_list, encode_list, file_name


def an_object(name: str, version: int):
    return {"metadata": {"namespace": "x", "name": name, "resourceVersion": str(version)}, "data": {"k": "v"}}


LISTED = ObjectList((an_object("a", 1), an_object("b", 2)), "5")


def test_a_list_comes_back_as_it_was():
    assert decode_list(encode_list(LISTED)) == LISTED
    assert decode_list(encode_list(ObjectList((), "7"))) == ObjectList((), "7")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"items": []}',
        b'{"metadata": {"resourceVersion": "x"}, "items": []}',
        b'{"metadata": {"resourceVersion": "1"}, "items": [5]}',
        encode_list(LISTED)[:-10],
    ],
)
def test_a_file_that_holds_no_list_is_an_error(data):
    with pytest.raises(ValueError, match="no list"):
        decode_list(data)


def test_events_change_the_collection_and_its_version():
    collection = Collection(LISTED)

    assert collection.follow(WatchEvent("ADDED", an_object("c", 6)))
    assert collection.follow(WatchEvent("MODIFIED", an_object("a", 7)))
    assert collection.follow(WatchEvent("DELETED", an_object("b", 8)))
    assert collection.listed() == ObjectList((an_object("a", 7), an_object("c", 6)), "8")


def test_a_bookmark_moves_the_version_alone():
    collection = Collection(LISTED)

    assert not collection.follow(WatchEvent("BOOKMARK", {"metadata": {"resourceVersion": "9"}}))
    assert collection.listed() == ObjectList(LISTED.items, "9")


def test_each_collection_has_a_file_of_its_own():
    names = {
        file_name(PODS, EVERYTHING),
        file_name(PODS, Selection(field_selector="spec.nodeName=n1")),
        file_name(PODS, Selection(label_selector="spec.nodeName=n1")),
        file_name(SERVICES, EVERYTHING),
    }

    assert len(names) == 4
    assert file_name(PODS, EVERYTHING) == "pods.json"
