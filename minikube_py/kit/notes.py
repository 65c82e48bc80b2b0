"""A Note is what a rule wants logged: rules return notes, `io/` writes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Level = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Note:
    """One line for the log, with its fields; `message` names the object (`kind namespace/name`)."""

    level: Level
    message: str
    fields: Mapping[str, str | int | float] = field(default_factory=dict)
