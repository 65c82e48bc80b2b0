"""Since when something is so, when nothing else says it."""

from minikube_py.controllers import first_seen
from minikube_py.controllers.first_seen import FirstSeen


def test_the_first_time_counts_until_it_is_forgotten() -> None:
    seen = FirstSeen()

    assert [seen.since_s("n1", 10.0), seen.since_s("n1", 20.0)] == [10.0, 10.0]
    seen.forget("n1")
    assert seen.since_s("n1", 30.0) == 30.0


def test_the_least_recently_asked_for_is_forgotten_at_the_bound(monkeypatch) -> None:
    monkeypatch.setattr(first_seen, "REMEMBERED_MAX", 2)
    seen = FirstSeen()
    for at_s, key in enumerate(("a", "b", "a", "c")):
        seen.since_s(key, float(at_s))

    assert seen.since_s("a", 9.0) == 0.0
    assert seen.since_s("b", 9.0) == 9.0
