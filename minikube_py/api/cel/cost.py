"""What an expression can cost at the worst, told from its text: for expressions that are run very often.

One unit for each step, as `Budget` counts them; a macro runs its body for every element of what it goes over, and how
many those can be at most is what the caller knows of his variables. A list that is written out has its own length.

Upstream: cel-go checker/cost.go, with the size estimates that each caller gives.
"""

from dataclasses import fields, is_dataclass
from typing import Any

from minikube_py.api.cel.syntax import Comprehension, ListNode, MapNode, Node

COST_MAX = 10**12
"""Estimates stop counting here."""


def estimate_cost(node: Node, elements_max: int) -> int:
    """Return the steps of an expression at the worst; what a macro goes over has at most `elements_max` elements."""
    return min(_cost(node, elements_max), COST_MAX)


def _cost(node: Any, elements_max: int) -> int:
    if isinstance(node, Comprehension):
        inner = sum(_cost(part, elements_max) for part in (node.condition, node.result) if part is not None)
        return 1 + _cost(node.target, elements_max) + _elements(node.target, elements_max) * (1 + inner)
    if isinstance(node, tuple):
        return sum(_cost(part, elements_max) for part in node)
    if not is_dataclass(node):
        return 0
    return 1 + sum(_cost(getattr(node, part.name), elements_max) for part in fields(node))


def _elements(node: Node, elements_max: int) -> int:
    """Return how many elements a value can have; what another macro makes of it are not more."""
    if isinstance(node, ListNode):
        return len(node.items)
    if isinstance(node, MapNode):
        return len(node.entries)
    if isinstance(node, Comprehension) and node.kind in ("map", "filter", "transformList", "transformMap"):
        return _elements(node.target, elements_max)
    return elements_max
