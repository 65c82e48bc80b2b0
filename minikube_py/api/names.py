"""What may be a name: labels and subdomains of DNS, label keys and values, ports, environment variables, keys.

Every function returns what is wrong with a text, in upstream's words (people and tests look for them), and nothing
when it is fine. Rules put these messages behind the path of the field.

Upstream: apimachinery util/validation, api/validation.
"""

import ipaddress
import re

DNS_LABEL_LENGTH_MAX = 63
DNS_SUBDOMAIN_LENGTH_MAX = 253
LABEL_VALUE_LENGTH_MAX = 63
QUALIFIED_NAME_LENGTH_MAX = 63
PORT_NAME_LENGTH_MAX = 15
CONFIG_KEY_LENGTH_MAX = 253
PORT_MAX = 65535

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = _LABEL + r"(\." + _LABEL + ")*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_QUALIFIED})?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_PERCENT = "[0-9]+%"
_C_IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]*"
_ENV_NAME = re.compile(r"[ -<>-~]+")
_SYSCTL = re.compile(r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?")

EMPTY = "must be non-empty"
BAD_PORT = f"must be between 1 and {PORT_MAX}, inclusive"
BAD_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"

Messages = tuple[str, ...]

_LABEL_RE, _SUBDOMAIN_RE, _LABEL_1035_RE = map(re.compile, (_LABEL, _SUBDOMAIN, _LABEL_1035))
_QUALIFIED_RE, _LABEL_VALUE_RE, _CONFIG_KEY_RE = map(re.compile, (_QUALIFIED, _LABEL_VALUE, _CONFIG_KEY))


def _too_long(limit: int) -> str:
    return f"must be no more than {limit} bytes"


def _rule(text: str, pattern: str, *examples: str) -> str:
    shown = ",  or ".join(f"'{example}'" for example in examples)
    return f"{text} (e.g. {shown}, regex used for validation is '{pattern}')"


_LABEL_RULE = _rule(
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character",
    _LABEL,
    "my-name",
    "123-abc",
)
_SUBDOMAIN_RULE = _rule(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character",
    _SUBDOMAIN,
    "example.com",
)
_WILDCARD = r"\*\." + _SUBDOMAIN
_WILDCARD_RE = re.compile(_WILDCARD)
_WILDCARD_RULE = _rule(
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
    "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
    _WILDCARD,
    "*.example.com",
)
_LABEL_1035_RULE = _rule(
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character",
    _LABEL_1035,
    "my-name",
    "abc-123",
)
_QUALIFIED_CHARACTERS = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)
_LABEL_VALUE_RULE = _rule(
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
    "and end with an alphanumeric character",
    _LABEL_VALUE,
    "MyValue",
    "my_value",
    "12345",
)
_CONFIG_KEY_RULE = _rule(
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    _CONFIG_KEY,
    "key.name",
    "KEY_NAME",
    "key-name",
)
_PERCENT_RULE = _rule(
    "a valid percent string must be a numeric string followed by an ending '%'", _PERCENT, "1%", "93%"
)
_C_IDENTIFIER_RULE = _rule(
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric "
    "characters or '_'",
    _C_IDENTIFIER,
    "my_name",
    "MY_NAME",
    "MyName",
)


def dns_label_faults(text: str) -> Messages:
    """Return what keeps `text` from being an RFC 1123 label (`my-name`)."""
    faults = _check(text, _LABEL_RE, _LABEL_RULE, DNS_LABEL_LENGTH_MAX)
    if faults and "." in text and _SUBDOMAIN_RE.fullmatch(text):
        return (*faults[:-1], "must not contain dots")
    return faults


def dns_1035_label_faults(text: str) -> Messages:
    """Return what keeps `text` from being an RFC 1035 label, which starts with a letter (Services)."""
    return _check(text, _LABEL_1035_RE, _LABEL_1035_RULE, DNS_LABEL_LENGTH_MAX)


def dns_subdomain_faults(text: str) -> Messages:
    """Return what keeps `text` from being an RFC 1123 subdomain (`a.b-c`), the form of most objects' names."""
    return _check(text, _SUBDOMAIN_RE, _SUBDOMAIN_RULE, DNS_SUBDOMAIN_LENGTH_MAX)


def wildcard_subdomain_faults(text: str) -> Messages:
    """Return what keeps `text` from being a subdomain of any name (`*.example.com`): hosts of Ingresses."""
    return _check(text, _WILDCARD_RE, _WILDCARD_RULE, DNS_SUBDOMAIN_LENGTH_MAX)


def path_segment_faults(text: str) -> Messages:
    """Return what keeps `text` from being one segment of a URL path (names of RBAC objects)."""
    if text in (".", ".."):
        return (f"may not be '{text}'",)
    return tuple(f"may not contain '{part}'" for part in ("/", "%") if part in text)


def qualified_name_faults(text: str) -> Messages:
    """Return what keeps `text` from being a name with an optional DNS prefix (`example.com/name`): label keys."""
    prefix, slash, name = text.partition("/")
    if "/" in name:
        rule = _rule(f"a qualified name {_QUALIFIED_CHARACTERS}", _QUALIFIED, "MyName", "my.name", "123-abc")
        return (rule + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",)
    faults: list[str] = []
    if not slash:
        name = text
    elif not prefix:
        faults.append("prefix part " + EMPTY)
    else:
        faults.extend("prefix part " + fault for fault in dns_subdomain_faults(prefix))
    if not name:
        faults.append("name part " + EMPTY)
    elif len(name) > QUALIFIED_NAME_LENGTH_MAX:
        faults.append("name part " + _too_long(QUALIFIED_NAME_LENGTH_MAX))
    if not _QUALIFIED_RE.fullmatch(name):
        faults.append(_rule(f"name part {_QUALIFIED_CHARACTERS}", _QUALIFIED, "MyName", "my.name", "123-abc"))
    return tuple(faults)


def label_value_faults(text: str) -> Messages:
    """Return what keeps `text` from being a label's value."""
    return _check(text, _LABEL_VALUE_RE, _LABEL_VALUE_RULE, LABEL_VALUE_LENGTH_MAX)


def port_name_faults(text: str) -> Messages:
    """Return what keeps `text` from being a container port's name (RFC 6335 service name)."""
    faults: list[str] = []
    if len(text) > PORT_NAME_LENGTH_MAX:
        faults.append(f"must be no more than {PORT_NAME_LENGTH_MAX} characters")
    if not re.fullmatch("[-a-z0-9]+", text):
        faults.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", text):
        faults.append("must contain at least one letter (a-z)")
    if "--" in text:
        faults.append("must not contain consecutive hyphens")
    if text.startswith("-") or text.endswith("-"):
        faults.append("must not begin or end with a hyphen")
    return tuple(faults)


def port_number_faults(port: int) -> Messages:
    """Return what keeps a number from being a port."""
    return () if 1 <= port <= PORT_MAX else (BAD_PORT,)


def env_name_faults(text: str) -> Messages:
    """Return what keeps `text` from being an environment variable's name (1.34 and later: any ASCII but `=`)."""
    if not text:
        return ("environment variable name " + EMPTY,)
    if not _ENV_NAME.fullmatch(text):
        return ("a valid environment variable name must consist only of printable ASCII characters other than '='",)
    return ()


def c_identifier_faults(text: str) -> Messages:
    """Return what keeps `text` from being a C identifier."""
    return () if re.fullmatch(_C_IDENTIFIER, text) else (_C_IDENTIFIER_RULE,)


def config_key_faults(text: str) -> Messages:
    """Return what keeps `text` from being a key of a ConfigMap or Secret, which may become a file's name."""
    faults = list(_check(text, _CONFIG_KEY_RE, _CONFIG_KEY_RULE, CONFIG_KEY_LENGTH_MAX))
    if text in (".", ".."):
        faults.append(f"must not be '{text}'")
    elif text.startswith(".."):
        faults.append("must not start with '..'")
    return tuple(faults)


def percent_faults(text: str) -> Messages:
    """Return what keeps `text` from being a percentage (`25%`)."""
    return () if re.fullmatch(_PERCENT, text) else (_PERCENT_RULE,)


def sysctl_name_is_valid(text: str) -> bool:
    """Return whether `text` may name a sysctl."""
    return len(text) <= DNS_SUBDOMAIN_LENGTH_MAX and _SYSCTL.fullmatch(text) is not None


def ip_faults(text: str) -> Messages:
    """Return what keeps `text` from being an IP address; leading zeros and zones are refused."""
    return () if parse_ip(text) is not None else (BAD_IP,)


def parse_ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that `text` says, None when it says none."""
    try:
        return ipaddress.ip_address(text) if "%" not in text else None
    except ValueError:
        return None


def _check(text: str, pattern: re.Pattern[str], rule: str, limit: int) -> Messages:
    """Return what keeps a text from matching a pattern, which allows ASCII only, and the length in bytes."""
    matches = pattern.fullmatch(text)
    if matches and len(text) <= limit:
        return ()
    too_long = (_too_long(limit),) if len(text.encode()) > limit else ()
    return too_long if matches else (*too_long, rule)
