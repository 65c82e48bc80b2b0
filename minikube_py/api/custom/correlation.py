"""Which part of the stored object a part of the new one continues: by field, by map key, by a keyed list's keys.

Elements of sets and atomic lists continue nothing. Ratcheting and transition rules (`oldSelf`) both rest on this.
Upstream: apiserver cel/common CorrelatedObject.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.custom.nodes import LIST_MAP_KEYS, LIST_TYPE, Node


class Unknown:
    """The type of UNKNOWN."""


UNKNOWN = Unknown()
"""There is no stored value that this one continues."""


def old_field(key: str, old: Any) -> Any:
    """Return the stored value of a field or map key."""
    return old.get(key, UNKNOWN) if isinstance(old, Mapping) else UNKNOWN


def old_element(item: Any, old: Any, node: Node) -> Any:
    """Return the stored element with the same keys, in a list that has keys."""
    if node.get(LIST_TYPE) != "map" or not isinstance(old, list) or not isinstance(item, Mapping):
        return UNKNOWN
    keys = node.get(LIST_MAP_KEYS) or ()
    wanted = [item.get(key) for key in keys]
    for candidate in old:
        if isinstance(candidate, Mapping) and [candidate.get(key) for key in keys] == wanted:
            return candidate
    return UNKNOWN
