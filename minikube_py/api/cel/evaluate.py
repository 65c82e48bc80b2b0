"""From a syntax tree to closures: an expression is compiled once and evaluated many times.

A closure takes an Env (variables and the budget) and returns a value, or raises CelError. `&&` and `||` take the
answer from whichever side has one, as the specification wants: an error on one side counts only when the other side
does not decide. CostLimitError ends everything.

Specification: cel-spec doc/langdef.md (Evaluation). Upstream: cel-go interpreter.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from minikube_py.api.cel import access, comprehensions
from minikube_py.api.cel.functions import FUNCTIONS, METHODS, Function, pick
from minikube_py.api.cel.operators import BINARY, negate
from minikube_py.api.cel.runtime_costs import (
    CALL_COSTS,
    LIST_COST,
    LOOP_COSTS,
    MAP_COST,
    cost_nothing,
    cost_one,
    is_attribute,
    is_constant,
)
from minikube_py.api.cel.steps import (
    LOGIC,
    Env,
    Step,
    call_step,
    choice_step,
    construct_step,
    list_step,
    map_step,
)
from minikube_py.api.cel.syntax import (
    METHODS_OF,
    Bind,
    Call,
    CelSyntaxError,
    Comprehension,
    Construct,
    Ident,
    Index,
    ListNode,
    Literal,
    MapNode,
    Node,
    Select,
)
from minikube_py.api.cel.values import (
    NONE,
    CelError,
    NoOverloadError,
    Optional,
    TypeValue,
    some,
    type_name,
)

TYPES: Mapping[str, str] = {
    "bool": "bool",
    "bytes": "bytes",
    "double": "double",
    "dyn": "dyn",
    "int": "int",
    "list": "list",
    "map": "map",
    "null_type": "null_type",
    "optional_type": "optional_type",
    "string": "string",
    "type": "type",
    "uint": "uint",
}
"""Names of types that are values by themselves."""
_COUNTED_BY_TEST = ("filter", "existsOne")
"""Macros to whose result an element adds something when its condition holds."""


def compile_node(node: Node, names: frozenset[str], source: str) -> Step:
    """Return the closure of a node; `names` are the variables that it may use.

    Raises:
        CelSyntaxError: a name or function that nobody knows.
    """
    return _Compiler(source).step(node, names)


class _Compiler:
    """Compiles the nodes of one text."""

    def __init__(self, source: str) -> None:
        self._source = source

    def _unknown(self, at: int, name: str) -> CelSyntaxError:
        return CelSyntaxError(self._source, at, f"undeclared reference to '{name}' (in container '')")

    def step(self, node: Node, names: frozenset[str]) -> Step:
        step: Step = getattr(self, METHODS_OF[type(node)])(node, names)
        return step

    def _literal(self, node: Literal, names: frozenset[str]) -> Step:
        value = node.value
        return lambda env: value

    def _operand(self, node: Node, names: frozenset[str]) -> Step:
        """Return the closure of what is only a part of the way to a value: where that begins it costs nothing."""
        if isinstance(node, Ident):
            return self._ident(node, names, cost=0)
        if isinstance(node, Select):
            return self._select(node, names, begins=0)
        return self._index(node, names, begins=0) if isinstance(node, Index) else self.step(node, names)

    def _list(self, node: ListNode, names: frozenset[str]) -> Step:
        cost = 0 if is_constant(node) else LIST_COST
        return list_step([(self.step(item, names), optional) for item, optional in node.items], cost)

    def _map(self, node: MapNode, names: frozenset[str]) -> Step:
        cost = 0 if is_constant(node) else MAP_COST
        return map_step([(self.step(key, names), self.step(v, names), o) for key, v, o in node.entries], cost)

    def _construct(self, node: Construct, names: frozenset[str]) -> Step:
        return construct_step(node.type_name, [(key, self.step(v, names), o) for key, v, o in node.entries])

    def _ident(self, node: Ident, names: frozenset[str], cost: int = 1) -> Step:
        name = node.name
        if name in names:

            def read(env: Env) -> Any:
                env.budget.spend(cost)
                value = env.variables[name]
                if isinstance(value, CelError):
                    raise value
                return value

            return read
        if name in TYPES:
            named = TypeValue(TYPES[name])
            return lambda env: named
        raise self._unknown(node.at, name)

    def _way(self, node: Node, names: frozenset[str], begins: int) -> tuple[Step, int]:
        """Return the closure of what something is selected of, and what the selection costs."""
        if is_attribute(node):
            return (self.step(node, names) if begins else self._operand(node, names)), 1
        return self.step(node, names), 1 + begins

    def _select(self, node: Select, names: frozenset[str], begins: int = 1) -> Step:
        dotted = _dotted(node)
        if dotted in ("google.protobuf.Timestamp", "google.protobuf.Duration") and "google" not in names:
            named = TypeValue(dotted)
            return lambda env: named
        field = node.field
        if node.tests:
            tested = self._operand(node.operand, names)
            return lambda env: access.has(tested(env), field)
        operand, cost = self._way(node.operand, names, begins)
        if node.optional:

            def select_optional(env: Env) -> Any:
                env.budget.spend(cost)
                return access.select_optional(operand(env), field)

            return select_optional

        def select(env: Env) -> Any:
            env.budget.spend(cost)
            value = operand(env)
            if type(value) is dict and field in value:
                return value[field]
            return access.select(value, field)

        return select

    def _index(self, node: Index, names: frozenset[str], begins: int = 1) -> Step:
        (operand, cost), index = self._way(node.operand, names, begins), self._operand(node.index, names)
        at = access.at_optional if node.optional else access.at

        def step(env: Env) -> Any:
            env.budget.spend(cost)
            return at(operand(env), index(env))

        return step

    def _operator(self, name: str, arguments: Sequence[Node], names: frozenset[str]) -> Step:
        steps = [self.step(argument, names) for argument in arguments]
        if name in LOGIC:
            return LOGIC[name](*steps)
        if name == "-_":
            return call_step(negate, steps, cost_one)
        is_set = name == "@in" and is_constant(arguments[1])
        return call_step(BINARY[name], steps, cost_nothing if is_set else CALL_COSTS.get(name, cost_one))

    def _call(self, node: Call, names: frozenset[str]) -> Step:
        name, arguments = node.function, node.arguments
        if node.target is None:
            if name == "_?_:_":
                yes, no = (self._operand(argument, names) for argument in arguments[1:])
                return choice_step(self.step(arguments[0], names), yes, no)
            if name in LOGIC or name in BINARY or name == "-_":
                return self._operator(name, arguments, names)
            return self._function(node, name, FUNCTIONS.get(name, ()), arguments, names)
        space = _dotted(node.target)
        if space and space.partition(".")[0] not in names and f"{space}.{name}" in FUNCTIONS:
            return self._function(node, f"{space}.{name}", FUNCTIONS[f"{space}.{name}"], arguments, names)
        return self._function(node, name, METHODS.get(name, ()), (node.target, *arguments), names)

    def _function(
        self, node: Call, name: str, known: Sequence[Function], parts: Sequence[Node], names: frozenset[str]
    ) -> Step:
        if not known:
            raise self._unknown(node.at, name)
        function = pick(known, len(parts))
        if function is None:
            shown = ", ".join("dyn" for _ in parts)
            why = f"found no matching overload for '{name}' applied to '({shown})'"
            raise CelSyntaxError(self._source, node.at, why)
        costs = cost_nothing if is_constant(node) else CALL_COSTS.get(name, cost_one)
        return call_step(function, [self.step(part, names) for part in parts], costs)

    def _comprehension(self, node: Comprehension, names: frozenset[str]) -> Step:
        inner = names | frozenset(node.variables)
        target = self.step(node.target, names)
        condition = self.step(node.condition, inner) if node.condition is not None else None
        result = self.step(node.result, inner) if node.result is not None else None
        fold, cost, counts = comprehensions.FOLDS[node.kind], LOOP_COSTS[node.kind], node.kind in _COUNTED_BY_TEST
        variables = node.variables

        def step(env: Env) -> Any:
            value, budget = target(env), env.budget
            own = dict(env.variables)
            inside = Env(own, budget)
            loop = comprehensions.Loop(value, own, variables, budget, cost)

            def test() -> Any:
                assert condition is not None
                answer = condition(inside)
                if counts and answer is True:
                    budget.spend(cost.made)
                return answer

            def make() -> Any:
                assert result is not None
                budget.spend(cost.made)
                return result(inside)

            answer = fold(value, loop.pairs(), test if condition else None, make if result else None)
            budget.spend(cost.end + (0 if loop.at_end else cost.condition))
            return answer

        return step

    def _bind(self, node: Bind, names: frozenset[str]) -> Step:
        value, name = self.step(node.value, names), node.name
        body = self.step(node.body, names | {name})
        unwraps = node.unwraps

        def step(env: Env) -> Any:
            before = env.budget.left
            bound = value(env)
            if unwraps:
                if not isinstance(bound, Optional):
                    raise NoOverloadError(f"{unwraps} applied to '({type_name(bound)})'")
                if not bound.present:
                    env.budget.spend(2)  # hasValue(), optional.none()
                    return NONE
                # What cel-go makes of it evaluates the optional twice: hasValue(), value(), and optional.of().
                env.budget.spend(before - env.budget.left + (3 if unwraps == "optMap" else 2))
                bound = bound.value
            answer = body(Env({**env.variables, name: bound}, env.budget))
            return some(answer) if unwraps == "optMap" else answer

        return step


def _dotted(node: Node) -> str:
    """Return the dotted name that a node is, an empty text when it is none."""
    if isinstance(node, Ident):
        return node.name
    if isinstance(node, Select) and not node.optional and not node.tests:
        before = _dotted(node.operand)
        return f"{before}.{node.field}" if before else ""
    return ""
