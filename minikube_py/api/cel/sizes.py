"""How large values of an expression can be, and what it costs at the most to look through them.

Numbers are cel-go's: sizes in elements, characters or bytes, costs in its units; both stop at the largest unsigned
64 bit number, which stands for "not known".

Upstream: cel-go checker/cost.go (SizeEstimate, CostEstimate), common/cost.go.
"""

from dataclasses import dataclass
from math import ceil

LARGEST = 2**64 - 1
TRAVERSAL = 0.1
"""The cost of a character that is looked at."""
REGEX = 0.25
"""The cost of a character of a regular expression, for each part of the text that it runs over."""


@dataclass(frozen=True, slots=True)
class Size:
    """The bounds of a size."""

    least: int
    most: int

    def plus(self, other: "Size") -> "Size":
        """Return the size of both together."""
        return Size(capped(self.least + other.least), capped(self.most + other.most))

    def times(self, other: "Size") -> "Size":
        """Return the size of so many of the other."""
        return Size(capped(self.least * other.least), capped(self.most * other.most))

    def union(self, other: "Size") -> "Size":
        """Return the size of one or the other."""
        return Size(min(self.least, other.least), max(self.most, other.most))


UNKNOWN = Size(0, LARGEST)
ONE = Size(1, 1)


def capped(number: int) -> int:
    """Return a number that has not run over."""
    return min(number, LARGEST)


def traversal(size: int, factor: float = TRAVERSAL) -> int:
    """Return the cost of looking through so many characters."""
    return LARGEST if size >= LARGEST else capped(ceil(size * factor))
