"""`NAME=VALUE` arguments: flags of a component of upstream's, handed on to ours by one setting of the agent.

Only flags that the component acts on are in its table and are taken: one that is silently ignored would be believed.
All faults are reported at once; an unknown name names the nearest known one. k3s has the same form
(`--kubelet-arg=max-pods=50`).
"""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ArgumentTable = Mapping[str, tuple[str, Callable[[str], Any]]]
"""Flag -> field of the component's settings, and how its text is read; what cannot be read is a ValueError."""


class ArgumentError(ValueError):
    """Arguments that cannot be used; the message says which and why, a line for each."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """What arguments set, and a line for each that cannot be used."""

    fields: Mapping[str, Any]
    faults: tuple[str, ...]


def read_arguments(setting: str, args: Sequence[str], table: ArgumentTable) -> Arguments:
    """Read arguments (`NAME=VALUE`, with or without dashes in front); a later one wins.

    `setting` is the agent's setting that they came by, for messages.
    """
    fields: dict[str, Any] = {}
    faults: list[str] = []
    for arg in args:
        name, sign, text = arg.lstrip("-").partition("=")
        if name not in table:
            near = difflib.get_close_matches(name, table, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            faults.append(f"--{setting}: there is no argument {name!r}{hint}")
            continue
        field, read = table[name]
        try:
            if not sign:
                raise ArgumentError("it needs a value")
            fields[field] = read(text)
        except ValueError as error:
            faults.append(f"--{setting} {name}: {error}")
    return Arguments(fields, tuple(faults))


def whole_number(text: str) -> int:
    """Return a whole number.

    Raises:
        ArgumentError: it is none.
    """
    if not text.lstrip("-").isdecimal():
        raise ArgumentError(f"{text!r} is not a number")
    return int(text)


def positive_number(text: str) -> int:
    """Return a whole number above 0.

    Raises:
        ArgumentError: it is none.
    """
    number = whole_number(text)
    if number <= 0:
        raise ArgumentError(f"{text!r} is not above 0")
    return number
