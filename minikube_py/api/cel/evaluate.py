"""From a syntax tree to closures: an expression is compiled once and evaluated many times.

A closure takes an Env (variables and the budget) and returns a value, or raises CelError. `&&` and `||` take the
answer from whichever side has one, as the specification wants: an error on one side counts only when the other side
does not decide. CostLimitError ends everything.

Specification: cel-spec doc/langdef.md (Evaluation). Upstream: cel-go interpreter.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from minikube_py.api.cel import comprehensions
from minikube_py.api.cel.functions import FUNCTIONS, METHODS, Function, pick
from minikube_py.api.cel.names import unescape_field
from minikube_py.api.cel.operators import BINARY, has_key, negate
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
    Budget,
    CelError,
    Constructed,
    CostLimitError,
    NoOverloadError,
    Optional,
    TypeValue,
    is_number,
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


class Env:
    """What an evaluation sees: variables, and what it may still cost."""

    __slots__ = ("budget", "variables")

    def __init__(self, variables: Mapping[str, Any], budget: Budget) -> None:
        self.variables = variables
        self.budget = budget


Step: TypeAlias = Callable[[Env], Any]


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

    def _list(self, node: ListNode, names: frozenset[str]) -> Step:
        return _list_step([(self.step(item, names), optional) for item, optional in node.items])

    def _map(self, node: MapNode, names: frozenset[str]) -> Step:
        return _map_step([(self.step(key, names), self.step(v, names), o) for key, v, o in node.entries])

    def _construct(self, node: Construct, names: frozenset[str]) -> Step:
        return _construct_step(node.type_name, [(key, self.step(v, names), o) for key, v, o in node.entries])

    def _ident(self, node: Ident, names: frozenset[str]) -> Step:
        name = node.name
        if name in names:

            def read(env: Env) -> Any:
                env.budget.spend(1)
                value = env.variables[name]
                if isinstance(value, CelError):
                    raise value
                return value

            return read
        if name in TYPES:
            named = TypeValue(TYPES[name])
            return lambda env: named
        raise self._unknown(node.at, name)

    def _select(self, node: Select, names: frozenset[str]) -> Step:
        dotted = _dotted(node)
        if dotted in ("google.protobuf.Timestamp", "google.protobuf.Duration") and "google" not in names:
            named = TypeValue(dotted)
            return lambda env: named
        operand, field = self.step(node.operand, names), node.field
        if node.tests:
            return lambda env: _has(operand(env), field)
        if node.optional:
            return lambda env: _select_optional(operand(env), field)

        def select(env: Env) -> Any:
            env.budget.spend(1)
            value = operand(env)
            if type(value) is dict and field in value:
                return value[field]
            return _select(value, field)

        return select

    def _index(self, node: Index, names: frozenset[str]) -> Step:
        operand, index = self.step(node.operand, names), self.step(node.index, names)
        if node.optional:
            return lambda env: _index_optional(operand(env), index(env))

        def step(env: Env) -> Any:
            env.budget.spend(1)
            return _at(operand(env), index(env))

        return step

    def _call(self, node: Call, names: frozenset[str]) -> Step:
        name, arguments = node.function, node.arguments
        if node.target is None:
            if name in _LOGIC:
                return _LOGIC[name](*(self.step(argument, names) for argument in arguments))
            if name in BINARY:
                return _binary_step(name, self.step(arguments[0], names), self.step(arguments[1], names))
            if name == "-_":
                operand = self.step(arguments[0], names)
                return lambda env: negate(operand(env))
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
        return _call_step(function, [self.step(part, names) for part in parts])

    def _comprehension(self, node: Comprehension, names: frozenset[str]) -> Step:
        inner = names | frozenset(node.variables)
        target = self.step(node.target, names)
        condition = self.step(node.condition, inner) if node.condition is not None else None
        result = self.step(node.result, inner) if node.result is not None else None
        fold = comprehensions.FOLDS[node.kind]
        variables = node.variables

        def step(env: Env) -> Any:
            value = target(env)
            own = dict(env.variables)
            inside = Env(own, env.budget)

            def pairs() -> comprehensions.Pairs:
                for pair in comprehensions.iterate(value, len(variables)):
                    env.budget.spend(1)
                    own.update(zip(variables, pair, strict=True))
                    yield pair

            test = (lambda: condition(inside)) if condition is not None else None
            make = (lambda: result(inside)) if result is not None else None
            return fold(value, pairs(), test, make)

        return step

    def _bind(self, node: Bind, names: frozenset[str]) -> Step:
        value, name = self.step(node.value, names), node.name
        body = self.step(node.body, names | {name})
        unwraps = node.unwraps

        def step(env: Env) -> Any:
            bound = value(env)
            if unwraps:
                if not isinstance(bound, Optional):
                    raise NoOverloadError(f"{unwraps} applied to '({type_name(bound)})'")
                if not bound.present:
                    return NONE
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


def _select(value: Any, field: str) -> Any:
    if isinstance(value, Optional):
        return _select_optional(value, field)
    if not isinstance(value, Mapping):
        value = getattr(value, "cel_fields", value)
    if not isinstance(value, Mapping):
        raise NoOverloadError(f"select '{field}' of {type_name(value)}" if value is not None else "")
    if field in value:
        found = value[field]
        if isinstance(found, CelError):
            raise found
        return found
    plain = unescape_field(field)
    if plain in value:
        return value[plain]
    raise CelError(f"no such key: {plain}")


def _has(value: Any, field: str) -> bool:
    if isinstance(value, Optional):
        return value.present and _has(value.value, field)
    if not isinstance(value, Mapping):
        value = getattr(value, "cel_fields", value)
    if not isinstance(value, Mapping):
        raise NoOverloadError
    return field in value or unescape_field(field) in value


def _select_optional(value: Any, field: str) -> Optional:
    if isinstance(value, Optional):
        if not value.present:
            return NONE
        value = value.value
    return some(_select(value, field)) if _has(value, field) else NONE


def _at(value: Any, index: Any) -> Any:
    if isinstance(value, Optional):
        return _index_optional(value, index)
    if isinstance(value, Mapping):
        if not has_key(value, index):
            raise CelError(f"no such key: {index}")
        return value[index]
    if isinstance(value, list | tuple):
        if not is_number(index) or index != int(index):
            raise NoOverloadError(f"_[_] applied to '(list, {type_name(index)})'")
        if not 0 <= index < len(value):
            raise CelError(f"index out of bounds: {index}")
        return value[int(index)]
    raise NoOverloadError(f"_[_] applied to '({type_name(value)}, {type_name(index)})'")


def _index_optional(value: Any, index: Any) -> Optional:
    if isinstance(value, Optional):
        if not value.present:
            return NONE
        value = value.value
    if isinstance(value, Mapping):
        return some(value[index]) if has_key(value, index) else NONE
    try:
        return some(_at(value, index))
    except NoOverloadError:
        raise
    except CelError:
        return NONE


def _boolean(value: Any, operator: str) -> bool:
    if not isinstance(value, bool):
        raise NoOverloadError(f"{operator} applied to '({type_name(value)})'")
    return value


def _and_step(left: Step, right: Step) -> Step:
    return _logic_step(left, right, decides=False, operator="_&&_")


def _or_step(left: Step, right: Step) -> Step:
    return _logic_step(left, right, decides=True, operator="_||_")


def _logic_step(left: Step, right: Step, *, decides: bool, operator: str) -> Step:
    """One side that decides is enough, whatever becomes of the other one."""

    def step(env: Env) -> Any:
        env.budget.spend(1)
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


def _not_step(operand: Step) -> Step:
    return lambda env: not _boolean(operand(env), "!_")


def _choice_step(condition: Step, yes: Step, no: Step) -> Step:
    return lambda env: yes(env) if _boolean(condition(env), "_?_:_") else no(env)


_LOGIC: Mapping[str, Callable[..., Step]] = {
    "_&&_": _and_step,
    "_||_": _or_step,
    "!_": _not_step,
    "_?_:_": _choice_step,
}
_LOOKED_AT = (str, bytes, list)


def _binary_step(name: str, left: Step, right: Step) -> Step:
    operator = BINARY[name]

    def step(env: Env) -> Any:
        first, second = left(env), right(env)
        cost = 1
        if isinstance(first, _LOOKED_AT) or isinstance(second, _LOOKED_AT):
            cost += max(_size(first), _size(second)) // 10
        env.budget.spend(cost)
        return operator(first, second)

    return step


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str | bytes | list | tuple | dict) else 0


def _call_step(function: Function, arguments: list[Step]) -> Step:
    def step(env: Env) -> Any:
        values = [argument(env) for argument in arguments]
        env.budget.spend(1 + sum(map(_size, values)) // 10)
        return function(*values)

    return step


def _list_step(items: list[tuple[Step, bool]]) -> Step:
    def step(env: Env) -> Any:
        env.budget.spend(1 + len(items))
        made = []
        for item, optional in items:
            value = item(env)
            if not optional:
                made.append(value)
            elif _optional(value).present:
                made.append(value.value)
        return made

    return step


def _map_step(entries: list[tuple[Step, Step, bool]]) -> Step:
    def step(env: Env) -> Any:
        env.budget.spend(1 + len(entries))
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


def _construct_step(name: str, fields: list[tuple[str, Step, bool]]) -> Step:
    def step(env: Env) -> Any:
        env.budget.spend(1 + len(fields))
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
