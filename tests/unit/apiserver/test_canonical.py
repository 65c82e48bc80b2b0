import orjson
from hypothesis import given
from hypothesis import strategies as st

from minikube_py.apiserver.canonical import DecodedObjects, canonical, decode, peek, stamp, unstamp
from minikube_py.store.interface import Entry

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.fixed_dictionaries(
    {"metadata": st.dictionaries(st.text(max_size=6), JSON, max_size=4)},
    optional={"apiVersion": st.text(max_size=5), "kind": st.text(max_size=5), "spec": JSON},
)


@given(OBJECTS, st.integers(1, 2**63))
def test_a_stamped_value_is_the_object_with_its_resource_version(obj, revision):
    value = stamp(canonical(obj), revision)

    expected = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(revision)}}
    assert orjson.loads(value) == expected


@given(OBJECTS, st.integers(1, 2**63))
def test_unstamping_gives_back_what_was_proposed(obj, revision):
    proposed = canonical(obj)

    assert unstamp(stamp(proposed, revision)) == proposed


def test_stamping_again_replaces_the_version():
    value = canonical({"metadata": {"name": "a"}, "kind": "Pod"})

    assert stamp(stamp(value, 7), 12345) == stamp(value, 12345)


def test_equal_objects_are_equal_bytes_whatever_their_order_and_version():
    one = {"kind": "Pod", "metadata": {"name": "a", "resourceVersion": "7", "labels": {"x": "1", "a": "2"}}}
    two = {"metadata": {"labels": {"a": "2", "x": "1"}, "name": "a"}, "kind": "Pod"}

    assert canonical(one) == canonical(two) == b'{"metadata":{"labels":{"a":"2","x":"1"},"name":"a"},"kind":"Pod"}'


def test_an_object_without_metadata_can_be_stamped():
    assert stamp(canonical({}), 3) == b'{"metadata":{"resourceVersion":"3"}}'


def test_an_entry_is_parsed_once_and_shared():
    entry = Entry("/a", stamp(canonical({"metadata": {"name": "a"}}), 4), 4, 4)

    assert decode(entry) is decode(entry)
    assert decode(entry) == {"metadata": {"resourceVersion": "4", "name": "a"}}


def test_a_look_keeps_nothing():
    entry = Entry("k", stamp(canonical({"kind": "Pod", "metadata": {}}), 1), 1, 1)

    assert peek(entry)["kind"] == "Pod"
    assert peek(entry) is not decode(entry)
    assert peek(entry) is decode(entry)


def test_of_the_parsed_forms_those_stay_that_were_read_last():
    entries = [Entry(f"/{at}", b'{"a":%d}' % at, 1, 1) for at in range(4)]
    decoded = DecodedObjects(value_bytes_max=3 * len(entries[0].value))
    first, second, third = (decoded.get(entry) for entry in entries[:3])
    decoded.get(entries[0])
    decoded.get(entries[3])

    assert decoded.get(entries[0]) is first
    assert decoded.get(entries[2]) is third
    again = decoded.get(entries[1])
    assert again is not second
    assert again == second == {"a": 1}


def test_a_parsed_form_larger_than_all_room_is_kept_while_it_is_the_only_one():
    entry = Entry("/a", b'{"a":1}', 1, 1)
    decoded = DecodedObjects(value_bytes_max=1)

    assert decoded.get(entry) is decoded.get(entry)
