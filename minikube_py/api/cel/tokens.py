"""From an expression's text to tokens. Specification: cel-spec doc/langdef.md (Syntax)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from minikube_py.api.cel.syntax import CelSyntaxError
from minikube_py.api.cel.values import INT_MAX, UINT_MAX, Uint

TEXT_LENGTH_MAX = 64 * 1024
"""Longer expressions are refused (schemas and policies have limits of their own, far below)."""

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n\f]+ | //[^\n]*)
  | (?P<string>(?:[bB]?[rR]?|[rR][bB])
      (?:\"\"\"(?:[^\\]|\\.)*?\"\"\" | '''(?:[^\\]|\\.)*?''' | "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*'))
  | (?P<double>[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)? | \.[0-9]+(?:[eE][+-]?[0-9]+)? | [0-9]+[eE][+-]?[0-9]+)
  | (?P<int>(?:0[xX][0-9a-fA-F]+|[0-9]+)[uU]?)
  | (?P<ident>[_a-zA-Z][_a-zA-Z0-9]*)
  | (?P<quoted>`[a-zA-Z0-9_.\-/ ]+`)
  | (?P<symbol>&&|\|\||==|!=|<=|>=|\[\?|[-+*/%<>!?:.,()\[\]{}])
    """,
    re.VERBOSE | re.DOTALL,
)
_RAW = re.compile(r"[bB]?[rR]|[rR][bB]")
_ESCAPE = re.compile(
    r"\\(x[0-9a-fA-F]{2}|X[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2}|.)", re.DOTALL
)
_PLAIN_ESCAPES: Mapping[str, str] = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "'": "'", '"': '"', "`": "`", "?": "?",
}  # fmt: skip

TokenKind = Literal["literal", "ident", "quoted", "symbol", "end"]


@dataclass(frozen=True, slots=True)
class Token:
    """One token: `value` is the name, the symbol, or the constant."""

    kind: TokenKind
    value: Any
    at: int


def tokenize(source: str) -> list[Token]:
    """Return the tokens of a text, the last one of kind `end`.

    Raises:
        CelSyntaxError: something in it is no token.
    """
    if len(source) > TEXT_LENGTH_MAX:
        raise CelSyntaxError(
            "", 0, f"expression code point size exceeds limit: size: {len(source)}, limit {TEXT_LENGTH_MAX}"
        )
    tokens: list[Token] = []
    at = 0
    while at < len(source):
        found = _TOKEN.match(source, at)
        if found is None:
            raise CelSyntaxError(source, at, f"Syntax error: token recognition error at: '{source[at]}'")
        if found.lastgroup != "space":
            tokens.append(_token(str(found.lastgroup), found[0], source, at))
        at = found.end()
    tokens.append(Token("end", "<EOF>", len(source)))
    return tokens


def _token(group: str, text: str, source: str, at: int) -> Token:
    match group:
        case "string":
            return Token("literal", _string(text, source, at), at)
        case "double":
            return Token("literal", float(text), at)
        case "int":
            return Token("literal", _integer(text, source, at), at)
        case "quoted":
            return Token("quoted", text[1:-1], at)
        case "ident":
            return Token("ident", text, at)
        case _:
            return Token("symbol", text, at)


def _integer(text: str, source: str, at: int) -> int:
    if text[-1] in "uU":
        value = int(text[:-1], 0) if text[1:2] in "xX" and text[1:2] else int(text[:-1])
        if value > UINT_MAX:
            raise CelSyntaxError(source, at, "Syntax error: invalid uint literal")
        return Uint(value)
    value = int(text, 16) if text[:2].lower() == "0x" else int(text)
    # one more than the largest: it may be the smallest, behind a minus
    if value > INT_MAX + 1:
        raise CelSyntaxError(source, at, "Syntax error: invalid int literal")
    return value


def _string(text: str, source: str, at: int) -> str | bytes:
    quote_at = min(index for index in (text.find('"'), text.find("'")) if index >= 0)
    prefix, body = text[:quote_at].lower(), text[quote_at:]
    width = 3 if body[:3] in ('"""', "'''") else 1
    body = body[width:-width]
    is_bytes = "b" in prefix
    if "r" in prefix:
        return body.encode() if is_bytes else body
    if not is_bytes:
        return _ESCAPE.sub(lambda found: _unescaped(found[1], source, at), body)
    encoded = bytearray()
    last = 0
    for found in _ESCAPE.finditer(body):
        encoded += body[last : found.start()].encode()
        code = found[1]
        if code[0] in "xX":
            encoded.append(int(code[1:], 16))
        elif code.isdigit():
            encoded.append(int(code, 8))
        else:
            encoded += _unescaped(code, source, at).encode()
        last = found.end()
    return bytes(encoded + body[last:].encode())


def _unescaped(code: str, source: str, at: int) -> str:
    if code in _PLAIN_ESCAPES:
        return _PLAIN_ESCAPES[code]
    try:
        letter = chr(int(code[1:], 16)) if code[0] in "xXuU" else chr(int(code, 8))
        letter.encode()  # half a surrogate is no letter
    except (ValueError, OverflowError) as error:
        raise CelSyntaxError(source, at, f"Syntax error: invalid escape sequence \\{code}") from error
    return letter
