from hypothesis import given
from hypothesis import strategies as st

from minikube_py.store.etcd_restore import (
    OPERATIONS_MAX,
    TRANSACTION_BYTES_MAX,
    cut,
    explain_marker,
    plan_restore,
    render_marker,
)
from minikube_py.store.interface import Delete, Put

VALUES = st.dictionaries(st.text("abc", max_size=3), st.sampled_from([b"1", b"2"]), max_size=12)


@given(VALUES, VALUES)
def test_a_restore_writes_the_difference_and_nothing_else(standing, wanted):
    state = dict(standing)
    for operations in plan_restore(standing, wanted):
        for operation in operations:
            if isinstance(operation, Put):
                assert state.get(operation.key) != operation.value
                state[operation.key] = operation.value
            else:
                del state[operation.key]
    assert state == wanted


def test_it_takes_as_few_transactions_as_etcd_lets_it():
    wanted = {f"k{at:04}": b"v" for at in range(OPERATIONS_MAX * 3 + 1)}

    assert [len(operations) for operations in plan_restore({}, wanted)] == [OPERATIONS_MAX] * 3 + [1]
    assert plan_restore(wanted, wanted) == ()


def test_no_transaction_has_more_bytes_than_etcd_takes_unless_one_value_has():
    third = b"v" * (TRANSACTION_BYTES_MAX // 3)
    puts = [Put(f"k{at}", third, None) for at in range(4)]
    huge = Put("huge", b"v" * (TRANSACTION_BYTES_MAX + 1), None)

    assert [len(operations) for operations in cut(puts)] == [2, 2]
    assert [operations[0].key for operations in cut([Delete("a", None), huge, Delete("b", None)])] == [
        "a",
        "huge",
        "b",
    ]
    assert cut([]) == ()


def test_a_marker_says_what_to_do_also_when_it_cannot_be_read():
    told = explain_marker(render_marker("/backup/one", 1.5, "id"))

    assert "minikube-py snapshot restore /backup/one" in told
    assert "minikube-py snapshot restore SNAPSHOT" in explain_marker(b"\xff")
