from minikube_py.store.expiry import BATCH_MAX, Expiry, ExpiryRule
from minikube_py.store.interface import Entry, StoreEvent


def written(key: str) -> StoreEvent:
    return StoreEvent(1, key, Entry(key, b"", 1, 1), None)


def deleted(key: str) -> StoreEvent:
    return StoreEvent(1, key, None, Entry(key, b"", 1, 1))


def an_expiry(keys_max: int = 1000) -> Expiry:
    return Expiry(ExpiryRule("/events/", after_s=60, keys_max=keys_max))


def test_a_key_is_due_when_its_time_since_the_last_write_is_over():
    expiry = an_expiry()
    expiry.note([written("/events/a")], 0)
    expiry.note([written("/events/b")], 10)
    expiry.note([written("/events/a")], 30)

    assert expiry.due(69) == ()
    assert expiry.due(70) == ("/events/b",)
    assert expiry.due(90) == ("/events/b", "/events/a")


def test_keys_elsewhere_and_deleted_ones_are_never_due():
    expiry = an_expiry()
    expiry.note([written("/leases/a"), written("/events/a"), deleted("/events/a"), deleted("/events/b")], 0)

    assert expiry.due(1000) == ()


def test_the_oldest_go_when_there_are_too_many():
    expiry = an_expiry(keys_max=2)
    for at, key in enumerate("abcd"):
        expiry.note([written(f"/events/{key}")], at)

    assert expiry.due(5) == ("/events/a", "/events/b")


def test_no_more_than_a_batch_goes_at_once():
    expiry = an_expiry()
    expiry.note([written(f"/events/{at}") for at in range(BATCH_MAX + 5)], 0)

    assert len(expiry.due(100)) == BATCH_MAX
