"""Which part of the stored object a part of the new one continues: by field, by map key, by a keyed list's keys.

Elements of sets and atomic lists continue nothing. Ratcheting and transition rules (`oldSelf`) both rest on this.
Upstream: apiserver cel/common CorrelatedObject.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from minikube_py.api.custom.nodes import LIST_MAP_KEYS, LIST_TYPE, Node


class Unknown:
    """The type of UNKNOWN."""


UNKNOWN = Unknown()
"""There is no stored value that this one continues."""


def old_field(key: str, old: Any) -> Any:
    """Return the stored value of a field or map key."""
    return old.get(key, UNKNOWN) if isinstance(old, Mapping) else UNKNOWN


def old_elements(old: Any, node: Node) -> Callable[[Any], Any]:
    """Return what finds the stored element with an element's keys, in a list that has keys."""
    if node.get(LIST_TYPE) != "map" or not isinstance(old, list):
        return _no_element
    keys = tuple(node.get(LIST_MAP_KEYS) or ())
    by_keys: dict[bytes, Any] = {}
    for candidate in old:
        if isinstance(candidate, Mapping):
            by_keys.setdefault(_identity(candidate, keys), candidate)

    def find(item: Any) -> Any:
        return by_keys.get(_identity(item, keys), UNKNOWN) if isinstance(item, Mapping) else UNKNOWN

    return find


def _no_element(item: Any) -> Any:
    return UNKNOWN


def _identity(element: Mapping[str, Any], keys: Sequence[str]) -> bytes:
    return orjson.dumps([element.get(key) for key in keys], option=orjson.OPT_SORT_KEYS)
