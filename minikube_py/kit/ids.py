"""Unique and random names, as a seam, so that a simulation can repeat them from a seed."""

from collections.abc import Callable
from dataclasses import dataclass

NAME_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""Upstream's alphabet for generated names: no vowels, no look-alikes (apimachinery util/rand)."""


@dataclass(frozen=True, slots=True)
class Ids:
    """Where new uids and name suffixes come from."""

    new_uid: Callable[[], str]
    """Returns a fresh UUID string."""
    new_suffix: Callable[[int], str]
    """Returns that many characters of NAME_ALPHABET, chosen at random."""
