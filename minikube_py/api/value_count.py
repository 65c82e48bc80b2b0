"""How many values there are in a text, told before anything is made of them.

A body of three megabytes may have a million empty lists: each is two bytes on the wire, a hundred in memory, and as
many again wherever the object is copied; parsing them alone holds the interpreter for a tenth of a second. Real
objects have far fewer (the largest definitions of custom resources some ten thousand), so beyond VALUES_MAX a body is
refused like one that is too long.

Upstream bounds bytes only, and spends a goroutine and the memory for each request.
"""

import re

from minikube_py.api.errors import TooLargeError

VALUES_MAX = 100_000
"""Values that a body may have."""
OBJECT_VALUES_MAX = 2 * VALUES_MAX
"""Values that an object which is stored may have: those of a body, and the owners of as many fields."""
_MARKS = b",{["
_TOKEN = re.compile(rb'"[^"]*"?|[,{\[]')
_QUOTE = ord('"')


def count_marks(text: bytes) -> int:
    """Return how often commas and opening brackets stand in a text: its values if it is JSON, or more."""
    return len(text) - len(text.translate(None, _MARKS))


def check_values(text: bytes, what: str = "the body", values_max: int = VALUES_MAX) -> None:
    """Refuse JSON with too many values; what stands inside of strings does not count.

    Raises:
        TooLargeError: it has more than `values_max`.
    """
    if len(text) <= values_max or count_marks(text) <= values_max:
        return
    # Escapes are taken out first: a pattern that knew them would keep the interpreter for 60 ms in a long text.
    text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    values = 0
    for token in _TOKEN.finditer(text):
        values += text[token.start()] != _QUOTE
        if values > values_max:
            raise TooLargeError(f"Request entity too large: {what} has more than {values_max} values")
