from minikube_py.apiserver.fair_queue import FairQueue


def drained(queue):
    taken = []
    while queue:
        head = queue.head()
        taken.append(queue.pop())
        assert taken[-1] == head
    return taken


def test_users_come_one_after_the_other_and_each_ones_items_in_their_order():
    queue = FairQueue(10, 10)
    for item in ("a1", "a2", "a3", "b1", "c1", "b2"):
        assert queue.push(item[0], item)
    assert drained(queue) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_nobody_has_more_places_than_his_share_and_all_together_no_more_than_there_are():
    queue = FairQueue(3, 2)
    assert [queue.push("a", n) for n in range(3)] == [True, True, False]
    assert [queue.push("b", n) for n in range(2)] == [True, False]
    assert len(queue) == 3


def test_a_user_who_had_his_turn_comes_back_behind_the_others():
    queue = FairQueue(10, 10)
    queue.push("a", "a1")
    queue.push("b", "b1")
    assert queue.pop() == "a1"
    queue.push("a", "a2")
    assert drained(queue) == ["b1", "a2"]


def test_who_leaves_makes_a_place_and_is_passed_over():
    queue = FairQueue(3, 2)
    for item in ("a1", "a2", "b1"):
        queue.push(item[0], item)
    for user, item in (("a", "a1"), ("a", "a1"), ("b", "b1"), ("c", "c1")):
        queue.remove(user, item)
    assert len(queue) == 1
    assert queue.push("a", "a3")
    assert drained(queue) == ["a2", "a3"]
