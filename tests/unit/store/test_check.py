import pytest

from minikube_py.store.check import check_state, diff_states, replay
from minikube_py.store.interface import Delete, Entry, Put
from minikube_py.store.mvcc import Mvcc
from minikube_py.store.records import Transaction


def plain(value: bytes, revision: int) -> bytes:
    return value


LOG = (
    Transaction(1, (Put("/a", b"1", None),)),
    Transaction(2, (Put("/b", b"2", None), Put("/a", b"3", None))),
    Transaction(3, (Delete("/b", None),)),
)


def test_a_log_gives_the_state_that_wrote_it():
    state = Mvcc(plain)
    for transaction in LOG:
        state.apply(transaction.operations, 0.0)

    assert check_state(state) == ()
    assert diff_states(state, replay(LOG, plain)) == ()


@pytest.mark.parametrize(
    "log",
    [LOG[:1] + LOG[2:], LOG + LOG[2:], (Transaction(2, LOG[0].operations),)],
    ids=["hole", "twice", "wrong number"],
)
def test_a_log_that_does_not_follow_is_refused(log):
    with pytest.raises(ValueError, match="revision"):
        replay(log, plain)


def test_differences_are_named():
    other = replay(LOG[:2], plain)

    faults = diff_states(replay(LOG, plain), other)
    assert faults[0] == "revision 2 instead of 3"
    assert faults[1].startswith("/b: created 2, modified 2, value of 1 bytes with CRC")


def test_an_entry_that_was_changed_behind_the_state_is_found():
    state = replay(LOG, plain)
    state._entries["/a"] = Entry("/a", b"3", 1, 9)
    faults = check_state(state)

    assert "/a: created 1, modified 9 of 3" in faults
    assert "/a: the newest event is not what stands" in faults


def test_a_key_that_the_index_forgot_is_found():
    state = replay(LOG, plain)
    state._index.remove("/a")

    assert check_state(state)[0].startswith("the order of keys")
