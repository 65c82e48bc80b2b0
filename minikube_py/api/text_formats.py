"""Formats that a schema may ask of a text: `date-time`, `ipv4`, `uuid`, ...; unknown formats ask nothing.

Upstream: kube-openapi validation/strfmt. Only formats that apiextensions knows (supported formats) are checked.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial
from ipaddress import ip_network
from urllib.parse import urlsplit

from minikube_py.api.names import parse_ip

_HOSTNAME = re.compile(
    r"[A-Za-z0-9]([A-Za-z0-9-]{0,62}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,62}[A-Za-z0-9])?)*\.?"
)
_MAILBOX = re.compile(r"[^@\s]+@([^@\s]+)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)
"""Python's own parsers take more forms than RFC 3339 has."""
_UUID = re.compile(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_UUID3 = re.compile(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_UUID4 = re.compile(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}")
_UUID5 = re.compile(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}")
_MAC = re.compile(r"(?i)[0-9a-f]{2}([:-][0-9a-f]{2}){5}|[0-9a-f]{4}(\.[0-9a-f]{4}){2}")
_DURATION = re.compile(r"(\d+(\.\d+)?\s*(ns|us|µs|ms|s|m|h|d|w|[a-z]+)\s*)+", re.IGNORECASE)
_RGB = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)")
_HEX_COLOR = re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_ISBN10 = re.compile(r"[0-9]{9}[0-9X]")
_ISBN13 = re.compile(r"[0-9]{13}")
_CARD = re.compile(r"[0-9]{13,19}")
_SSN = re.compile(r"[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4}")
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return check


def _is_uri(text: str) -> bool:
    try:
        return bool(urlsplit(text).scheme)
    except ValueError:
        return False


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        return False
    return True


def _is_date(text: str) -> bool:
    return _DATE.fullmatch(text) is not None and _parses(date.fromisoformat)(text)


def _is_date_time(text: str) -> bool:
    return _DATE_TIME.fullmatch(text) is not None and _parses(datetime.fromisoformat)(text.upper())


def _is_email(text: str) -> bool:
    """Return whether a text is a mailbox; one pattern for all of it would try each of its dots against the rest."""
    found = _MAILBOX.fullmatch(text)
    return found is not None and (found[1] == "localhost" or "." in found[1][1:-1])


def _is_version(version: int) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        address = parse_ip(text)
        return address is not None and address.version == version

    return check


def _is_cidr(text: str) -> bool:
    address, slash, length = text.partition("/")
    digits = slash and length.isascii() and length.isdigit()
    return bool(digits) and parse_ip(address) is not None and _parses(partial(ip_network, strict=False))(text)


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


def _is_isbn(text: str) -> bool:
    digits = text.replace("-", "").replace(" ", "")
    return bool(_ISBN10.fullmatch(digits) or _ISBN13.fullmatch(digits))


FORMATS: Mapping[str, Callable[[str], bool]] = {
    "bsonobjectid": _matches(_OBJECT_ID),
    "byte": _is_base64,
    "cidr": _is_cidr,
    "creditcard": lambda text: _CARD.fullmatch(re.sub(r"[- ]", "", text)) is not None,
    "date": _is_date,
    "date-time": _is_date_time,
    "datetime": _is_date_time,
    "duration": _matches(_DURATION),
    "email": _is_email,
    "hexcolor": _matches(_HEX_COLOR),
    "hostname": lambda text: len(text) <= 255 and _HOSTNAME.fullmatch(text) is not None,
    "ipv4": _is_version(4),
    "ipv6": _is_version(6),
    "isbn": _is_isbn,
    "isbn10": lambda text: _ISBN10.fullmatch(text.replace("-", "")) is not None,
    "isbn13": lambda text: _ISBN13.fullmatch(text.replace("-", "")) is not None,
    "k8s-long-name": lambda text: len(text) <= 253 and all(_NAME.fullmatch(part) for part in text.split(".")),
    "k8s-short-name": _matches(_NAME),
    "mac": _matches(_MAC),
    "password": lambda text: True,
    "rgbcolor": _matches(_RGB),
    "ssn": _matches(_SSN),
    "uri": _is_uri,
    "uuid": _matches(_UUID),
    "uuid3": _matches(_UUID3),
    "uuid4": _matches(_UUID4),
    "uuid5": _matches(_UUID5),
}
"""Format -> whether a text has it."""


def has_format(name: str, text: str) -> bool:
    """Return whether a text has a format; a format that is not known is had by every text."""
    check = FORMATS.get(name)
    return check is None or check(text)
