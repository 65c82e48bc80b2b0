import pytest

from minikube_py.store.interface import Entry, StoreEvent
from minikube_py.testing.watch_validators import GUARANTEES, Observed, Response

A1 = Entry("/p/a", b"1", 11, 11)
A3 = Entry("/p/a", b"3", 11, 13)
B3 = Entry("/p/b", b"b", 13, 13)
E11 = StoreEvent(11, "/p/a", A1, None)
E12 = StoreEvent(12, "/q/c", Entry("/q/c", b"c", 12, 12), None)
E13A = StoreEvent(13, "/p/a", A3, A1)
E13B = StoreEvent(13, "/p/b", B3, None)
E14 = StoreEvent(14, "/p/a", None, A3, b"3")
HISTORY = [E11, E12, E13A, E13B, E14]


def told(*responses, prefix="/p/", after=10):
    return Observed(prefix, after, tuple(Response(tuple(events), complete) for events, complete in responses))


GOOD = [
    told(([E11], 12), ([E13A, E13B, E14], 14)),
    told(([E13A, E13B], 13), ((), 13), ([E14], 14), after=11),
    told(((), 12), after=11),
    told((HISTORY, 14), prefix=""),
]


@pytest.mark.parametrize("guarantee", sorted(GUARANTEES))
def test_a_watch_as_it_should_be_passes(guarantee):
    for observed in GOOD:
        assert GUARANTEES[guarantee](observed, HISTORY) == []


@pytest.mark.parametrize(
    ("guarantee", "observed"),
    [
        ("filter", told(([E12], 12))),
        ("filter", told(([E11], 11), after=11)),
        ("ordered", told(([E13A, E13B], 13), ([E11], 14))),
        ("unique", told(([E11], 11), ([E11], 12))),
        ("atomic", told(([E13A], 13), ([E13B], 14))),
        ("bookmarkable", told(((), 13), ([E13A, E13B], 13))),
        ("bookmarkable", told(([E13A, E13B], 12))),
        ("resumable", told(([E13A, E13B], 13))),
        ("resumable", told(((), 12))),
        ("reliable", told(([E11], 11), ([E14], 14))),
        ("reliable", told(([E11, StoreEvent(12, "/p/z", A1, None)], 12))),
        ("previous value", told(([StoreEvent(13, "/p/a", A3, B3)], 13))),
        ("previous value", told(([StoreEvent(14, "/p/a", None, A3)], 14))),
        ("is create", told(([StoreEvent(13, "/p/a", A3, None)], 13))),
        ("is create", told(([StoreEvent(13, "/p/b", B3, A1)], 13))),
    ],
)
def test_a_broken_guarantee_is_told(guarantee, observed):
    assert GUARANTEES[guarantee](observed, HISTORY) != []
