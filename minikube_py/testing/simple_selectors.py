"""Label and field selectors as far as the fakes need them: `a=b,c!=d,e,!f,g in (h,i),j notin (k)`.

The API server has its own, with upstream's errors; this one raises BadRequestError on what it cannot read.
"""

import re
from collections.abc import Mapping
from typing import Any

from minikube_py.api.errors import BadRequestError
from minikube_py.api.meta import Obj, labels_of, metadata
from minikube_py.api.resource import Resource
from minikube_py.client.interface import Selection

_TERM = re.compile(
    r"\s*(?:(!)\s*([^\s=!,()]+)|([^\s=!,()]+)(?:\s*(==|=|!=)\s*([^,()]*)|\s+(in|notin)\s+\(([^)]*)\))?)\s*"
)


def selects(resource: Resource, selection: Selection, obj: Obj) -> bool:
    """Return whether `obj` is in the selection."""
    if selection.namespace and metadata(obj).get("namespace") != selection.namespace:
        return False
    return _labels_match(selection.label_selector, labels_of(obj)) and _fields_match(
        resource, selection.field_selector, obj
    )


def _labels_match(selector: str, labels: Mapping[str, str]) -> bool:
    at = 0
    while at < len(selector):
        term = _TERM.match(selector, at)
        if term is None or (term.end() < len(selector) and selector[term.end()] != ","):
            raise BadRequestError(f"unable to parse label selector {selector!r}")
        if not _term_matches(term, labels):
            return False
        at = term.end() + 1
    return True


def _term_matches(term: re.Match[str], labels: Mapping[str, str]) -> bool:
    absent, absent_key, key, operator, value, set_operator, values = term.groups()
    if absent:
        return absent_key not in labels
    if operator:
        return (labels.get(key) == value.strip()) is (operator != "!=")
    if set_operator:
        return (labels.get(key) in [v.strip() for v in values.split(",")]) is (set_operator == "in")
    return key in labels


def _fields_match(resource: Resource, selector: str, obj: Obj) -> bool:
    for term in filter(None, selector.split(",")):
        field, operator, value = _split_field_term(term)
        if (_read_field(resource, field, obj) == value) is (operator == "!="):
            return False
    return True


def _split_field_term(term: str) -> tuple[str, str, str]:
    for operator in ("!=", "==", "="):
        field, found, value = term.partition(operator)
        if found:
            return field.strip(), operator, value.strip()
    raise BadRequestError(f"invalid field selector {term!r}")


def _read_field(resource: Resource, field: str, obj: Mapping[str, Any]) -> str:
    if field in ("metadata.name", "metadata.namespace"):
        return str(metadata(obj).get(field.removeprefix("metadata."), ""))
    read = (resource.field_selectors or {}).get(field)
    if read is None:
        raise BadRequestError(f"field label not supported: {field}")
    return read(obj)
