"""Closures made of closures: which side decides, what is left out, what is spent."""

import pytest

from minikube_py.api.cel.steps import (
    LOGIC,
    Env,
    call_step,
    choice_step,
    construct_step,
    list_step,
    map_step,
)
from minikube_py.api.cel.values import (
    NONE,
    Budget,
    CelError,
    Constructed,
    CostLimitError,
    NoOverloadError,
    some,
)


def always(value):
    return lambda _: value


def failing(error):
    def step(_):
        raise error

    return step


def value_of(step, budget=100):
    return step(Env({}, Budget(budget)))


@pytest.mark.parametrize(("operator", "decides"), [("_&&_", False), ("_||_", True)])
def test_the_side_that_decides_is_enough_whatever_becomes_of_the_other(operator, decides):
    broken = failing(CelError("it was not to be"))
    for sides in ((always(decides), broken), (broken, always(decides))):
        assert value_of(LOGIC[operator](*sides)) is decides
    for sides in ((always(not decides), broken), (broken, always(not decides))):
        with pytest.raises(CelError, match="it was not to be"):
            value_of(LOGIC[operator](*sides))


def test_a_budget_that_is_spent_ends_logic_even_where_the_other_side_decides():
    with pytest.raises(CostLimitError):
        value_of(LOGIC["_||_"](failing(CostLimitError()), always(True)))


def test_logic_and_choices_want_booleans():
    for step in (
        LOGIC["!_"](always(1)),
        LOGIC["_&&_"](always(1), always(True)),
        choice_step(*map(always, (1, 2, 3))),
    ):
        with pytest.raises(NoOverloadError):
            value_of(step)


def test_only_the_chosen_side_is_evaluated():
    broken = failing(CelError("it was not to be"))
    assert value_of(choice_step(always(True), always(1), broken)) == 1
    assert value_of(choice_step(always(False), broken, always(2))) == 2


def test_a_call_costs_what_its_values_and_result_say_and_one_when_it_fails():
    env = Env({}, Budget(10))
    add = call_step(lambda a, b: a + b, [always(2), always(3)], lambda values, result: len(values) + result)
    assert (add(env), env.budget.left) == (5, 3)

    def broken():
        raise CelError("it was not to be")

    with pytest.raises(CelError, match="it was not to be"):
        call_step(broken, [], lambda *_: 100)(env)
    assert env.budget.left == 2


def test_optional_items_entries_and_fields_are_left_out_when_there_is_nothing():
    values = [(always(1), False), (always(NONE), True), (always(some(3)), True)]
    assert value_of(list_step(values, 1)) == [1, 3]
    entries = [(always(name), value, is_optional) for name, (value, is_optional) in zip("abc", values, strict=True)]
    assert value_of(map_step(entries, 1)) == {"a": 1, "c": 3}
    fields = [(name, value, is_optional) for name, (value, is_optional) in zip("abc", values, strict=True)]
    assert value_of(construct_step("Object", fields)) == Constructed("Object", {"a": 1, "c": 3})


def test_a_map_has_a_key_once_and_an_optional_entry_is_an_optional():
    with pytest.raises(CelError, match="insert failed: key a already exists"):
        value_of(map_step([(always("a"), always(1), False), (always("a"), always(2), False)], 1))
    with pytest.raises(NoOverloadError):
        value_of(list_step([(always(2), True)], 1))
