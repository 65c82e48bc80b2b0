import pytest

from minikube_py.testing.revision_witness import Found, History, Read, Write, check_history

A = Write("a", "/k", 0, 0.0, 1.0, 11)
B = Write("b", "/k", 11, 2.0, 3.0, 12)
REJECTED = Write("c", "/k", 5, 2.0, 3.0, None)
UNANSWERED = Write("d", "/k", None, 4.0)
LOG = [Found(11, "/k", "a"), Found(12, "/k", "b")]


def faults(writes=(A, B, REJECTED, UNANSWERED), log=LOG, reads=(), watches=(), before=None):
    return check_history(before or {}, 10, History(writes, reads, watches), log)


def test_a_history_that_could_have_been_has_no_faults():
    assert faults() == []
    assert faults(log=[*LOG, Found(13, "/k", "d")]) == []
    assert faults(reads=[Read("/k", 11, 1.5, 1.6), Read("/k", 12, 2.5, 2.6), Read("/k", 11, 2.5, 2.6)]) == []
    assert faults(watches=[[(11, "/k"), (12, "/k")], [(12, "/k")], []]) == []
    assert faults([Write("e", "/x", 7, 0.0, 1.0, 11)], [Found(11, "/x", "e")], before={"/x": 7}) == []


@pytest.mark.parametrize(
    ("log", "fault"),
    [
        (LOG[:1], "lost: b"),
        ([LOG[1]], "gap"),
        ([Found(11, "/k", "a"), Found(13, "/k", "b")], "gap"),
        ([*LOG, Found(13, "/k", "ghost")], "phantom"),
        ([*LOG, Found(13, "/k", "c")], "had been rejected"),
        ([*LOG, Found(13, "/k", "b")], "twice"),
        ([Found(11, "/other", "a"), LOG[1]], "phantom"),
    ],
)
def test_a_log_that_is_not_what_was_promised_is_told(log, fault):
    assert any(fault in told for told in faults(log=log))


def test_a_comparison_that_did_not_hold_is_told():
    wrong = Write("b", "/k", 7, 2.0, 3.0, 12)

    assert any("expected 7 where 11 stood" in told for told in faults([A, wrong]))


def test_an_order_against_real_time_is_told():
    late = Write("a", "/k", None, 5.0, 6.0, 11)

    assert any("smaller revision" in told for told in faults([late, Write("b", "/k", None, 2.0, 3.0, 12)]))


@pytest.mark.parametrize(
    "read", [Read("/k", 11, 3.5, 3.6), Read("/k", 0, 1.5, 1.6), Read("/k", 12, 1.5, 1.6), Read("/k", 99, 0.0, 9.0)]
)
def test_a_read_of_the_past_the_future_or_of_nothing_is_told(read):
    assert len(faults(reads=[read])) >= 1


@pytest.mark.parametrize(
    "watch", [[(11, "/k"), (13, "/k")], [(12, "/k"), (11, "/k")], [(11, "/k"), (11, "/k")], [(11, "/x")]]
)
def test_a_watch_with_a_gap_out_of_order_twice_or_of_another_key_is_told(watch):
    assert len(faults(log=[*LOG, Found(13, "/k", "d")], watches=[watch])) == 1
