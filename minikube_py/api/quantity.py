"""Quantities: exact amounts with a suffix (`100m`, `1.5Gi`, `2e3`), and the one text that each of them is stored as.

An amount is a whole number of nanos, so that sums and comparisons are exact; what is finer is rounded away from zero
and what is larger than 2^63-1 is cut down to it, as upstream does. The canonical text keeps the family of suffixes
that the user chose: `1024Mi` becomes `1Gi`, `1000m` becomes `1`, `0.5` becomes `500m`.

Upstream: apimachinery api/resource.Quantity.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Literal

Format = Literal["DecimalSI", "BinarySI", "DecimalExponent"]

NANO = 10**9
_AMOUNT_MAX = (2**63 - 1) * NANO
_CACHED_MAX = 4096
_EXPONENT_DIGITS_MAX = 4
"""Longer exponents are out of the range of a Quantity on either side; the bound keeps the arithmetic small."""
_TEXT_LENGTH_MAX = 256

_SHAPE = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*)([-+]?[0-9]*)")
_DECIMAL: Mapping[str, int] = {
    "n": -9,
    "u": -6,
    "m": -3,
    "": 0,
    "k": 3,
    "M": 6,
    "G": 9,
    "T": 12,
    "P": 15,
    "E": 18,
}
_DECIMAL_SUFFIX: Mapping[int, str] = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY: Mapping[str, int] = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_BINARY_SUFFIX: Mapping[int, str] = {0: "", **{power: suffix for suffix, power in _BINARY.items()}}

WRONG_FORMAT = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"  # upstream's words
)
WRONG_SUFFIX = "unable to parse quantity's suffix"
WRONG_NUMBER = "unable to parse numeric part of quantity"


class QuantityError(ValueError):
    """The text is no quantity; the message is upstream's."""


@dataclass(frozen=True, slots=True, order=True)
class Quantity:
    """An exact amount; comparisons look at the amount first (use `nano` to compare amounts only)."""

    nano: int
    format: Format = "DecimalSI"

    def __add__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.nano + other.nano, self.format if self.nano else other.format)

    def __sub__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.nano - other.nano, self.format if self.nano else other.format)

    @property
    def value(self) -> int:
        """Return the amount in whole units, rounded up."""
        return -(-self.nano // NANO)

    @property
    def milli(self) -> int:
        """Return the amount in thousandths, rounded up (CPU is counted this way)."""
        return -(-self.nano // 10**6)

    def __str__(self) -> str:
        """Return the canonical text."""
        if self.nano == 0:
            return "0"
        if self.format == "BinarySI" and abs(self.nano) >= 1024 * NANO:
            return _binary_text(self.value)
        mantissa, exponent = _decimal_parts(self.nano)
        if self.format == "DecimalExponent":
            return f"{mantissa}e{exponent}" if exponent else str(mantissa)
        return f"{mantissa}{_DECIMAL_SUFFIX[exponent]}"


ZERO = Quantity(0)


@lru_cache(maxsize=_CACHED_MAX)
def parse_quantity(text: str) -> Quantity:
    """Return the quantity that `text` says.

    Raises:
        QuantityError: the text is none.
    """
    shape = _SHAPE.fullmatch(text) if len(text) <= _TEXT_LENGTH_MAX else None
    if shape is None or not text:
        raise QuantityError(WRONG_FORMAT)
    sign, whole, fraction, suffix, exponent = shape.groups()
    if not whole and not fraction:
        raise QuantityError(WRONG_NUMBER if text.strip("+-") else WRONG_FORMAT)
    digits = Fraction(int(whole + (fraction or "")), 10 ** len(fraction or ""))
    factor, form = _scale(suffix, exponent)
    exact = digits * factor * NANO
    nano = min(-(-exact.numerator // exact.denominator), _AMOUNT_MAX)
    return Quantity(-nano if sign == "-" else nano, form)


def amounts_of(resources: Mapping[str, object]) -> dict[str, int]:
    """Return the amounts of a resource list, in nanos.

    Raises:
        QuantityError: one is no quantity.
    """
    return {name: parse_quantity(str(text)).nano for name, text in resources.items()}


@lru_cache(maxsize=_CACHED_MAX)
def canonical_quantity(text: str) -> str:
    """Return the text that the API keeps for `text`.

    Raises:
        QuantityError: the text is no quantity.
    """
    return str(parse_quantity(text))


def _scale(suffix: str, exponent: str) -> tuple[Fraction, Format]:
    if suffix in _BINARY and not exponent:
        return Fraction(1024 ** _BINARY[suffix]), "BinarySI"
    if suffix in _DECIMAL and not exponent:
        return Fraction(10) ** _DECIMAL[suffix], "DecimalSI"
    if suffix in ("e", "E") and exponent.lstrip("+-") and len(exponent.lstrip("+-")) <= _EXPONENT_DIGITS_MAX:
        return Fraction(10) ** int(exponent), "DecimalExponent"
    raise QuantityError(WRONG_SUFFIX)


def _binary_text(value: int) -> str:
    power = 0
    while value % 1024 == 0 and power < 6:
        value //= 1024
        power += 1
    return f"{value}{_BINARY_SUFFIX[power]}"


def _decimal_parts(nano: int) -> tuple[int, int]:
    exponent = -9
    while nano % 1000 == 0 and exponent < 18:
        nano //= 1000
        exponent += 3
    return nano, exponent
