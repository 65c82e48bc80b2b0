import pytest

from minikube_py.apiserver.slices import slices
from minikube_py.store.interface import Entry


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((), []),
        ((1, 1), [2]),
        ((1, 1, 1), [3]),
        ((1,) * 7, [3, 3, 1]),
        ((9, 1, 9, 1, 30, 1), [2, 2, 1, 1]),
        ((10, 10), [1, 1]),
    ],
)
def test_a_slice_ends_after_so_many_objects_or_bytes(sizes, expected):
    entries = [Entry(f"/{at}", b"x" * size, 1, 1) for at, size in enumerate(sizes)]
    found = list(slices(entries, 3, 10))
    assert [len(some) for some in found] == expected
    assert [entry for some in found for entry in some] == entries
