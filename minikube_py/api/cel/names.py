"""Names of fields in expressions: what is no CEL identifier is written with escapes.

    namespace -> __namespace__     a-b -> a__dash__b     a.b -> a__dot__b     a/b -> a__slash__b
    __x -> __underscores__x

Upstream: apiserver cel/escaping.go.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

_RESERVED = frozenset(
    {
        "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop",
        "namespace", "null", "package", "return", "true", "var", "void", "while",
    }
)  # fmt: skip
_ESCAPES: Mapping[str, str] = {"dot": ".", "dash": "-", "slash": "/", "underscores": "__"}
_PIECE = re.compile(r"__(dot|dash|slash|underscores)__")


@lru_cache(maxsize=4096)
def unescape_field(name: str) -> str:
    """Return the field that an identifier stands for."""
    if "__" not in name:
        return name
    if name.startswith("__") and name.endswith("__") and name[2:-2] in _RESERVED:
        return name[2:-2]
    return _PIECE.sub(lambda found: _ESCAPES[found[1]], name)
