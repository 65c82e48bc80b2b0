"""Values of settings as somebody typed them: what they mean, and all that is wrong with them at once.

The command line, the environment and a YAML file spell the same value differently; each way comes out the same here.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network


class ValueFaults:
    """Parses the values of settings and collects what is wrong, a line each; a wrong value counts as its fallback."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def network(self, name: str, value: object, fallback: str) -> IPv4Network:
        """Return a range of addresses."""
        try:
            return IPv4Network(str(value))
        except ValueError as error:
            self.lines.append(f"--{name}: {error}; give a range such as {fallback}")
            return IPv4Network(fallback)

    def address(self, name: str, value: object, fallback: str) -> IPv4Address:
        """Return an address."""
        try:
            return IPv4Address(str(value))
        except ValueError as error:
            self.lines.append(f"--{name}: {error}; give an address such as 192.0.2.7")
            return IPv4Address(fallback)

    def port(self, name: str, value: object) -> int:
        """Return a port."""
        text = str(value)
        if text.isdecimal() and 0 < int(text) < 65536:
            return int(text)
        self.lines.append(f"--{name}: {text!r} is not a port (1 to 65535)")
        return 1

    def count(self, name: str, value: object) -> int:
        """Return a number, 0 or more."""
        text = str(value)
        if text.isdecimal():
            return int(text)
        self.lines.append(f"--{name}: {text!r} is not a number (0 or more)")
        return 0

    def port_range(self, name: str, value: object) -> range:
        """Return a range of ports."""
        first, dash, last = str(value).partition("-")
        if dash and first.isdecimal() and last.isdecimal() and 0 < int(first) <= int(last) < 65536:
            return range(int(first), int(last) + 1)
        self.lines.append(f"--{name}: {str(value)!r} is not a range of ports such as 30000-32767")
        return range(1, 2)

    def mode(self, name: str, value: object) -> int:
        """Return the mode of a file."""
        # YAML reads an unquoted 0600 as the number 384: both spellings mean the same mode.
        text = f"{value:o}" if isinstance(value, int) else str(value)
        if text and set(text) <= set("01234567"):
            return int(text, 8)
        self.lines.append(f"--{name}: {text!r} is not a file mode such as 0600")
        return 0o600

    def many(self, name: str, value: object, choices: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the texts of a list, or of one text."""
        parts = [value] if isinstance(value, str) else list(value) if isinstance(value, Sequence) else []
        items = tuple(str(part) for part in parts)
        self.lines += [bad_choice(name, item, choices) for item in items if choices and item not in choices]
        return items


def bad_choice(name: str, value: object, choices: Sequence[str]) -> str:
    """Return what to say about a value that is none of the choices."""
    return f"--{name}: {value!r} is not one of {', '.join(choices)}"
