"""Closures that are made of other closures: logic, calls, and what makes lists, maps and objects.

Specification: cel-spec doc/langdef.md (Logical Operators). Upstream: cel-go interpreter/interpretable.go.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from minikube_py.api.cel.functions import Function
from minikube_py.api.cel.names import unescape_field
from minikube_py.api.cel.operators import has_key
from minikube_py.api.cel.runtime_costs import CONSTRUCT_COST, CallCost
from minikube_py.api.cel.values import (
    Budget,
    CelError,
    Constructed,
    CostLimitError,
    NoOverloadError,
    Optional,
    type_name,
)


class Env:
    """What an evaluation sees: variables, and what it may still cost."""

    __slots__ = ("budget", "variables")

    def __init__(self, variables: Mapping[str, Any], budget: Budget) -> None:
        self.variables = variables
        self.budget = budget


Step: TypeAlias = Callable[[Env], Any]


def _boolean(value: Any, operator: str) -> bool:
    if not isinstance(value, bool):
        raise NoOverloadError(f"{operator} applied to '({type_name(value)})'")
    return value


def and_step(left: Step, right: Step) -> Step:
    """Return the closure of `left && right`."""
    return _logic_step(left, right, decides=False, operator="_&&_")


def or_step(left: Step, right: Step) -> Step:
    """Return the closure of `left || right`."""
    return _logic_step(left, right, decides=True, operator="_||_")


def _logic_step(left: Step, right: Step, *, decides: bool, operator: str) -> Step:
    """One side that decides is enough, whatever becomes of the other one."""

    def step(env: Env) -> Any:
        try:
            first = _boolean(left(env), operator)
        except CostLimitError:
            raise
        except CelError as error:
            if _boolean(right(env), operator) is decides:
                return decides
            raise error from None
        return decides if first is decides else _boolean(right(env), operator)

    return step


def not_step(operand: Step) -> Step:
    """Return the closure of `!operand`."""

    def step(env: Env) -> Any:
        env.budget.spend(1)
        return not _boolean(operand(env), "!_")

    return step


def choice_step(condition: Step, yes: Step, no: Step) -> Step:
    """Return the closure of `condition ? yes : no`; only the chosen side is evaluated."""
    return lambda env: yes(env) if _boolean(condition(env), "_?_:_") else no(env)


def call_step(function: Function, arguments: list[Step], costs: CallCost) -> Step:
    """Return the closure of a call; what it costs is known when it is done."""

    def step(env: Env) -> Any:
        values = [argument(env) for argument in arguments]
        try:
            result = function(*values)
        except CelError:
            env.budget.spend(1)
            raise
        env.budget.spend(costs(values, result))
        return result

    return step


def list_step(items: list[tuple[Step, bool]], cost: int) -> Step:
    """Return the closure of `[a, ?b]`; an optional item (True) that has no value is left out."""

    def step(env: Env) -> Any:
        env.budget.spend(cost)
        made = []
        for item, optional in items:
            value = item(env)
            if not optional:
                made.append(value)
            elif _optional(value).present:
                made.append(value.value)
        return made

    return step


def map_step(entries: list[tuple[Step, Step, bool]], cost: int) -> Step:
    """Return the closure of `{a: b, ?c: d}`, of keys, values and whether a value is optional."""

    def step(env: Env) -> Any:
        env.budget.spend(cost)
        made: dict[Any, Any] = {}
        for key_of, value_of, optional in entries:
            key, value = key_of(env), value_of(env)
            if has_key(made, key):
                raise CelError(f"insert failed: key {key} already exists")
            if not optional:
                made[key] = value
            elif _optional(value).present:
                made[key] = value.value
        return made

    return step


def construct_step(name: str, fields: list[tuple[str, Step, bool]]) -> Step:
    """Return the closure of `Name{a: b, ?c: d}`, of fields, values and whether a value is optional."""

    def step(env: Env) -> Any:
        env.budget.spend(CONSTRUCT_COST)
        made: dict[str, Any] = {}
        for field, value_of, optional in fields:
            value = value_of(env)
            if not optional:
                made[unescape_field(field)] = value
            elif _optional(value).present:
                made[unescape_field(field)] = value.value
        return Constructed(name, made)

    return step


def _optional(value: Any) -> Optional:
    if not isinstance(value, Optional):
        raise NoOverloadError(f"optional entry of {type_name(value)}")
    return value


LOGIC: Mapping[str, Callable[..., Step]] = {
    "_&&_": and_step,
    "_||_": or_step,
    "!_": not_step,
}
