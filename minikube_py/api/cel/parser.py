"""From tokens to a syntax tree, macros taken apart on the way.

Precedence, loosest first: `?:`, `||`, `&&`, relations and `in`, `+ -`, `* / %`, unary, members. Specification:
cel-spec doc/langdef.md (Syntax, Macros); upstream's macros of optionals, bindings and two variables.
"""

from collections.abc import Callable, Mapping, Sequence

from minikube_py.api.cel.syntax import (
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
from minikube_py.api.cel.tokens import Token, tokenize
from minikube_py.api.cel.values import INT_MAX

DEPTH_MAX = 50
"""An expression that nests deeper than this is refused (upstream: 250; each level costs twelve frames here)."""

_LEVELS: Sequence[Mapping[str, str]] = (
    {"==": "_==_", "!=": "_!=_", "<": "_<_", "<=": "_<=_", ">": "_>_", ">=": "_>=_", "in": "@in"},
    {"+": "_+_", "-": "_-_"},
    {"*": "_*_", "/": "_/_", "%": "_%_"},
)
_RESERVED = frozenset(
    {
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "in", "let", "loop",
        "namespace", "package", "return", "var", "void", "while",
    }
)  # fmt: skip
_CONSTANTS = {"true": True, "false": False, "null": None}
_COMPREHENSIONS: Mapping[str, str] = {
    "all": "all",
    "exists": "exists",
    "exists_one": "existsOne",
    "existsOne": "existsOne",
    "filter": "filter",
    "map": "map",
    "transformList": "transformList",
    "transformMap": "transformMap",
    "transformMapEntry": "transformMapEntry",
    "sortBy": "sortBy",
}
_OPENING: Mapping[str, str] = {"(": "_grouped", "[": "_list", "[?": "_list", "{": "_map", ".": "_rooted"}
"""What an expression may begin with, and the method that goes on from there."""
_PREDICATES = frozenset({"all", "exists", "existsOne", "filter"})


def parse(source: str) -> Node:
    """Return the syntax tree of an expression.

    Raises:
        CelSyntaxError: it is none.
    """
    parser = _Parser(source)
    node = parser.expression()
    parser.expect_end()
    return node


class _Parser:
    """Recursive descent over the tokens of one text."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens = tokenize(source)
        self._place = 0
        self._depth = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._place]

    def _next(self) -> Token:
        token = self._token
        self._place += token.kind != "end"
        return token

    def _is(self, *symbols: str) -> bool:
        token = self._token
        return token.kind == "symbol" and token.value in symbols

    def _take(self, symbol: str) -> bool:
        taken = self._is(symbol)
        if taken:
            self._next()
        return taken

    def _fail(self, token: Token, why: str = "") -> CelSyntaxError:
        shown = "<EOF>" if token.kind == "end" else token.value
        return CelSyntaxError(self._source, token.at, why or f"Syntax error: mismatched input '{shown}'")

    def _expect(self, symbol: str) -> Token:
        if not self._is(symbol):
            shown = "<EOF>" if self._token.kind == "end" else self._token.value
            raise self._fail(self._token, f"Syntax error: mismatched input '{shown}' expecting '{symbol}'")
        return self._next()

    def expect_end(self) -> None:
        if self._token.kind != "end":
            raise self._fail(self._token)

    def expression(self) -> Node:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise self._fail(self._token, f"expression recursion limit exceeded: {DEPTH_MAX}")
        node = self._or()
        if self._is("?"):
            at = self._next().at
            yes = self._or()
            self._expect(":")
            node = Call(at, "_?_:_", None, (node, yes, self.expression()))
        self._depth -= 1
        return node

    def _or(self) -> Node:
        return self._logic("||", self._and)

    def _and(self) -> Node:
        return self._logic("&&", lambda: self._binary(0))

    def _logic(self, symbol: str, term: Callable[[], Node]) -> Node:
        terms, places = [term()], []
        while self._is(symbol):
            places.append(self._next().at)
            terms.append(term())
        return _balanced(f"_{symbol}_", terms, places)

    def _binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        node = self._binary(level + 1)
        while (token := self._token).kind in ("symbol", "ident") and token.value in _LEVELS[level]:
            self._next()
            node = Call(token.at, _LEVELS[level][token.value], None, (node, self._binary(level + 1)))
        return node

    def _unary(self) -> Node:
        token = self._token
        if not self._is("!", "-"):
            return self._checked(self._member())
        self._next()
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise self._fail(token, f"expression recursion limit exceeded: {DEPTH_MAX}")
        following = self._token
        if token.value == "-" and following.kind == "literal" and type(following.value) in (int, float):
            self._next()
            node = self._members(Literal(token.at, -following.value))
        else:
            operand = self._unary()
            node = Call(token.at, "!_" if token.value == "!" else "-_", None, (operand,))
        self._depth -= 1
        return node

    def _checked(self, node: Node) -> Node:
        if isinstance(node, Literal) and type(node.value) is int and node.value > INT_MAX:
            raise CelSyntaxError(self._source, node.at, "Syntax error: invalid int literal")
        return node

    def _member(self) -> Node:
        return self._members(self._primary())

    def _members(self, node: Node) -> Node:
        while True:
            if self._is("."):
                node = self._selection(node)
            elif self._is("[", "[?"):
                token = self._next()
                index = self.expression()
                self._expect("]")
                node = Index(token.at, node, index, optional=token.value == "[?")
            elif self._is("{") and (name := _type_name(node)):
                node = self._construct(node.at, name)
            else:
                return node

    def _selection(self, operand: Node) -> Node:
        self._expect(".")
        optional = self._take("?")
        token = self._next()
        if token.kind not in ("ident", "quoted"):
            raise self._fail(token)
        if token.kind == "ident" and not optional and self._is("("):
            return self._call(token, operand)
        return Select(token.at, operand, str(token.value), optional=optional)

    def _arguments(self) -> tuple[Node, ...]:
        self._expect("(")
        arguments: list[Node] = []
        while not self._is(")"):
            arguments.append(self.expression())
            if not self._take(","):
                break
        self._expect(")")
        return tuple(arguments)

    def _call(self, token: Token, target: Node | None) -> Node:
        name, arguments = str(token.value), self._arguments()
        if target is None:
            return self._has(token, arguments) if name == "has" else Call(token.at, name, None, arguments)
        if isinstance(target, Ident) and target.name == "cel" and name == "bind" and len(arguments) == 3:
            return Bind(token.at, self._variable(arguments[0]), arguments[1], arguments[2])
        if name in ("optMap", "optFlatMap") and len(arguments) == 2:
            return Bind(token.at, self._variable(arguments[0]), target, arguments[1], unwraps=name)
        if name in _COMPREHENSIONS and len(arguments) >= 2:
            return self._comprehension(token, target, arguments)
        return Call(token.at, name, target, arguments)

    def _has(self, token: Token, arguments: tuple[Node, ...]) -> Node:
        if len(arguments) != 1 or not isinstance(arguments[0], Select):
            raise CelSyntaxError(self._source, token.at, "invalid argument to has() macro")
        selected = arguments[0]
        return Select(selected.at, selected.operand, selected.field, optional=selected.optional, tests=True)

    def _comprehension(self, token: Token, target: Node, arguments: tuple[Node, ...]) -> Node:
        kind, count = _COMPREHENSIONS[str(token.value)], len(arguments)
        if kind in _PREDICATES or kind == "sortBy":
            variables, body = arguments[:-1], arguments[-1]
            most = 1 if kind in ("filter", "sortBy") else 2
            if len(variables) > most:
                raise self._fail(token, f"undeclared reference to '{token.value}' (in container '')")
            names = tuple(self._variable(variable) for variable in variables)
            condition, result = (None, body) if kind == "sortBy" else (body, None)
            return Comprehension(token.at, kind, target, names, condition, result)
        first = 1 if kind == "map" else 2
        if count not in (first + 1, first + 2):
            raise self._fail(token, f"undeclared reference to '{token.value}' (in container '')")
        names = tuple(self._variable(variable) for variable in arguments[:first])
        condition = arguments[first] if count == first + 2 else None
        return Comprehension(token.at, kind, target, names, condition, arguments[-1])

    def _variable(self, node: Node) -> str:
        if not isinstance(node, Ident):
            raise CelSyntaxError(self._source, node.at, "argument must be a simple name")
        return node.name

    def _primary(self) -> Node:
        token = self._next()
        if token.kind == "literal":
            return Literal(token.at, token.value)
        if token.kind == "ident":
            return self._name(token)
        if token.kind == "symbol" and token.value in _OPENING:
            node: Node = getattr(self, _OPENING[token.value])(token)
            return node
        raise self._fail(token)

    def _grouped(self, token: Token) -> Node:
        node = self.expression()
        self._expect(")")
        return node

    def _rooted(self, token: Token) -> Node:
        return self._name(self._next())

    def _name(self, token: Token) -> Node:
        name = token.value
        if name in _CONSTANTS:
            return Literal(token.at, _CONSTANTS[name])
        if name in _RESERVED:
            raise self._fail(token, f"Syntax error: reserved identifier: {name}")
        return self._call(token, None) if self._is("(") else Ident(token.at, str(name))

    def _list(self, token: Token) -> Node:
        items: list[tuple[Node, bool]] = []
        optional = token.value == "[?"
        while optional or not self._is("]"):
            optional = optional or self._take("?")
            items.append((self.expression(), optional))
            optional = False
            if not self._take(","):
                break
        self._expect("]")
        return ListNode(token.at, tuple(items))

    def _map(self, token: Token) -> Node:
        entries: list[tuple[Node, Node, bool]] = []
        while not self._is("}"):
            optional = self._take("?")
            key = self.expression()
            self._expect(":")
            entries.append((key, self.expression(), optional))
            if not self._take(","):
                break
        self._expect("}")
        return MapNode(token.at, tuple(entries))

    def _construct(self, at: int, name: str) -> Node:
        self._expect("{")
        entries: list[tuple[str, Node, bool]] = []
        while not self._is("}"):
            optional = self._take("?")
            token = self._next()
            if token.kind not in ("ident", "quoted"):
                raise self._fail(token)
            self._expect(":")
            entries.append((str(token.value), self.expression(), optional))
            if not self._take(","):
                break
        self._expect("}")
        return Construct(at, name, tuple(entries))


def _balanced(function: str, terms: Sequence[Node], places: Sequence[int]) -> Node:
    """Return the tree of a chain of `&&` or `||`, as flat as can be: people write hundreds of them in a row.

    `places` are those of the operators between the terms. Upstream: cel-go parser/helper.go (the logic balancer).
    """
    if not places:
        return terms[0]
    middle = len(places) // 2
    left = _balanced(function, terms[: middle + 1], places[:middle])
    right = _balanced(function, terms[middle + 1 :], places[middle + 1 :])
    return Call(places[middle], function, None, (left, right))


def _type_name(node: Node) -> str:
    """Return the dotted name that a node is, an empty text when it is none; types begin with a capital letter."""
    parts: list[str] = []
    while isinstance(node, Select) and not node.optional:
        parts.append(node.field)
        node = node.operand
    if not isinstance(node, Ident):
        return ""
    name = ".".join((node.name, *reversed(parts)))
    return name if name[0].isupper() else ""
