from hypothesis import given
from hypothesis import strategies as st

from minikube_py.api.meta import key_of
from minikube_py.client.deltas import compute_event_changes, compute_relist_changes
from minikube_py.client.indexer import Indexer
from minikube_py.client.interface import Change, WatchEvent


def an_object(name: str, version: int, uid: str = "u") -> dict:
    return {"metadata": {"name": name, "namespace": "x", "resourceVersion": str(version), "uid": uid}}


STATES = st.dictionaries(st.sampled_from("abcde"), st.tuples(st.integers(1, 3), st.sampled_from("uv")), max_size=5)


@given(STATES, STATES)
def test_applying_the_changes_of_a_relist_gives_what_was_listed(before, after):
    indexer = Indexer()
    for name, (version, uid) in before.items():
        indexer.apply(Change(None, an_object(name, version, uid)))
    listed = [an_object(name, version, uid) for name, (version, uid) in after.items()]

    changes = compute_relist_changes(indexer.objects, listed)
    for change in changes:
        indexer.apply(change)

    assert {key_of(o): o for o in indexer.list()} == {key_of(o): o for o in listed}
    assert compute_relist_changes(indexer.objects, listed) == ()


def test_an_object_made_again_under_its_name_is_a_deletion_and_an_addition():
    old, new = an_object("a", 1, "u"), an_object("a", 5, "v")

    assert compute_event_changes(old, WatchEvent("MODIFIED", new)) == (Change(old, None), Change(None, new))


def test_a_deletion_is_told_with_the_last_state_and_only_when_the_object_was_known():
    old, last = an_object("a", 1), an_object("a", 2)

    assert compute_event_changes(old, WatchEvent("DELETED", last)) == (Change(last, None),)
    assert compute_event_changes(None, WatchEvent("DELETED", last)) == ()


def test_an_event_that_repeats_the_known_version_is_not_told():
    assert compute_event_changes(an_object("a", 1), WatchEvent("MODIFIED", an_object("a", 1))) == ()
