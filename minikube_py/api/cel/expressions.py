"""Expressions as the rest of the product sees them: compile once, evaluate with variables and a budget.

    expression = compile_expression("self.replicas <= 5", ("self",))
    expression.evaluate({"self": spec}, Budget(COST_MAX))

Compiled expressions are kept; a text means the same wherever it stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import lru_cache
from typing import Any

from minikube_py.api.cel.evaluate import compile_node
from minikube_py.api.cel.parser import parse
from minikube_py.api.cel.steps import Env, Step
from minikube_py.api.cel.syntax import CelSyntaxError, Ident, Node
from minikube_py.api.cel.values import Budget, CelError

COST_MAX = 1_000_000
"""One evaluation may cost so much (upstream: PerCallLimit)."""
OBJECT_COST_MAX = 10_000_000
"""All rules of one object together (upstream: RuntimeCELCostBudget)."""
EXPRESSIONS_MAX = 4096
"""Compiled expressions that are kept; the least used ones are compiled again."""


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """A compiled expression."""

    source: str
    tree: Node
    step: Step

    def evaluate(self, variables: Mapping[str, Any], budget: Budget) -> Any:
        """Return the value.

        Raises:
            CelError: it has none with these variables, or costs too much.
        """
        try:
            return self.step(Env(variables, budget))
        except RecursionError as error:
            raise CelError("max recursion depth exceeded") from error

    def evaluate_within(self, variables: Mapping[str, Any], budget: Budget) -> Any:
        """Return the value within the limit of one call; what it costs goes off the budget of them all.

        Raises:
            CelError: it has none with these variables, or costs too much.
        """
        own = Budget(min(COST_MAX, budget.left))
        before = own.left
        try:
            return self.evaluate(variables, own)
        finally:
            budget.left -= before - own.left


@lru_cache(maxsize=EXPRESSIONS_MAX)
def compile_expression(source: str, variables: tuple[str, ...]) -> Expression:
    """Return the expression of a text that may use these variables.

    Raises:
        CelSyntaxError: it is no expression, or uses what nobody knows.
    """
    try:
        tree = parse(source)
        return Expression(source, tree, compile_node(tree, frozenset(variables), source))
    except RecursionError as error:
        raise CelSyntaxError(source, 0, "expression recursion limit exceeded") from error


def uses(tree: Node, name: str) -> bool:
    """Return whether a variable of this name is used anywhere in a tree."""
    left: list[Any] = [tree]
    while left:
        part = left.pop()
        if isinstance(part, Ident) and part.name == name:
            return True
        if isinstance(part, tuple):
            left += part
        elif is_dataclass(part):
            left += (getattr(part, field.name) for field in fields(part))
    return False
