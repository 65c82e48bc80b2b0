import pytest
from hypothesis import given
from hypothesis import strategies as st

from minikube_py.store.key_index import KeyIndex, bucket_of

KEYS = (
    "/r/core/pods/x/a",
    "/r/core/pods/x/b",
    "/r/core/pods/y/a",
    "/r/core/podtemplates/x/a",
    "/r/core/nodes/a",
    "/odd",
    "/odd/b",
)
PREFIXES = ("", "/r/core/", "/r/core/pods/", "/r/core/pods/x/", "/r/core/pods/x/a", "/r/core/po", "/odd", "/none/")


@given(
    st.lists(st.sampled_from(KEYS), unique=True),
    st.sampled_from(PREFIXES),
    st.sampled_from(["", *KEYS]),
    st.integers(0, 3),
)
def test_the_index_gives_keys_in_order_whatever_bucket_they_are_in(keys, prefix, after, limit):
    index = KeyIndex()
    for key in keys:
        index.add(key)
    for key in keys[::2]:
        index.remove(key)

    expected = sorted(key for key in keys[1::2] if key.startswith(prefix) and key > after)
    assert index.range(prefix, after) == expected
    assert index.range(prefix, after, limit) == (expected[:limit] if limit else expected)
    assert index.count(prefix, after) == len(expected)


@pytest.mark.parametrize(
    ("key", "bucket"),
    [
        ("/registry/core/pods/x/a", "/registry/core/pods/"),
        ("/registry/core/pods/", "/registry/core/pods/"),
        ("/registry/core/pods", ""),
        ("", ""),
    ],
    ids=["key", "prefix", "short", "empty"],
)
def test_a_bucket_ends_with_the_fourth_slash(key, bucket):
    assert bucket_of(key) == bucket
