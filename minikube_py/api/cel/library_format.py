"""Kubernetes' formats as values: `format.dns1123Label().validate(name)` gives what is wrong, or none.

Upstream: apiserver cel/library/format.go.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from minikube_py.api.cel.library_time import parse_timestamp
from minikube_py.api.cel.values import NONE, CelError, NoOverloadError, Optional, some, type_name
from minikube_py.api.names import (
    Messages,
    dns_1035_label_faults,
    dns_label_faults,
    dns_subdomain_faults,
    label_value_faults,
    qualified_name_faults,
)
from minikube_py.api.text_formats import has_format


@dataclass(frozen=True, slots=True)
class FormatValue:
    """A named format."""

    name: str
    faults: Callable[[str], Messages]

    @property
    def cel_type(self) -> str:
        """Return the CEL name of the type."""
        return "kubernetes.NamedFormat"


def _prefixed(check: Callable[[str], Messages]) -> Callable[[str], Messages]:
    """Return the check of a prefix: what follows it may still make the name whole."""
    return lambda text: check(text[:-1] + "a" if text.endswith("-") and len(text) > 1 else text)


def _named(name: str) -> Callable[[str], Messages]:
    return lambda text: () if has_format(name, text) else (f"invalid {name}",)


def _date_time(text: str) -> Messages:
    try:
        parse_timestamp(text)
    except CelError as error:
        return (str(error),)
    return ()


_FORMATS: Mapping[str, Callable[[str], Messages]] = {
    "dns1123Label": dns_label_faults,
    "dns1123Subdomain": dns_subdomain_faults,
    "dns1035Label": dns_1035_label_faults,
    "qualifiedName": qualified_name_faults,
    "dns1123LabelPrefix": _prefixed(dns_label_faults),
    "dns1123SubdomainPrefix": _prefixed(dns_subdomain_faults),
    "dns1035LabelPrefix": _prefixed(dns_1035_label_faults),
    "labelValue": label_value_faults,
    "uri": _named("uri"),
    "uuid": _named("uuid"),
    "byte": _named("byte"),
    "date": _named("date"),
    "datetime": _date_time,
}


def _find(name: Any) -> Optional:
    if not isinstance(name, str):
        raise NoOverloadError(f"format.named({type_name(name)})")
    return some(FormatValue(name, _FORMATS[name])) if name in _FORMATS else NONE


def _validate(value: Any, text: Any) -> Optional:
    if not isinstance(value, FormatValue) or not isinstance(text, str):
        raise NoOverloadError(f"validate of {type_name(value)}")
    faults = value.faults(text)
    return some(list(faults)) if faults else NONE


def _makes(name: str) -> Callable[[], FormatValue]:
    return lambda: FormatValue(name, _FORMATS[name])


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "format.named": _find,
    **{f"format.{name}": _makes(name) for name in _FORMATS},
}
METHODS: Mapping[str, Callable[..., Any]] = {"validate": _validate}
