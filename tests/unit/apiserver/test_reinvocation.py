from minikube_py.apiserver.reinvocation import Reinvocations


def after(*members, meanwhile=None):
    """Return who is asked in the second round; a member is (changes, wants to see later changes)."""
    turns = Reinvocations()
    for index, (changed, if_needed) in enumerate(members):
        assert turns.wants(index)
        turns.asked(index, changed=changed, if_needed=if_needed)
    obj = {"a": {"b": 1}}
    turns.end_round(obj)
    obj["a"]["b"] = 1 if meanwhile is None else meanwhile
    turns.begin_again(obj)
    return [index for index in range(len(members)) if turns.wants(index)]


def test_who_wants_it_sees_what_later_members_changed():
    assert after((True, True), (True, False), (False, True)) == [0]
    assert after((False, True), (True, True), (True, True)) == [0, 1]


def test_without_a_later_change_nobody_is_asked_again():
    assert after((True, True)) == []
    assert after((True, True), (False, True), (False, False)) == []


def test_who_does_not_want_it_is_not_asked_again():
    assert after((True, False), (True, False)) == []


def test_what_plug_ins_changed_meanwhile_is_a_change_for_all_that_wait():
    assert after((True, True), (False, True), (False, False), meanwhile=2) == [0, 1]


def test_in_the_second_round_later_members_may_wake_too():
    turns = Reinvocations()
    turns.asked(0, changed=False, if_needed=True)
    turns.asked(1, changed=True, if_needed=True)
    turns.end_round({})
    turns.begin_again({})
    assert not turns.wants(1)
    turns.asked(0, changed=True, if_needed=True)
    assert turns.wants(1)
    assert turns.changed
