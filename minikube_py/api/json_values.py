"""Whether two JSON values are the same: for Python `true` equals 1 and 1 equals 1.0, however deep they stand.

A write that replaces one by the other is a change; in fields that may hold anything, and in those whose type has
changed since they were stored, it does come.
"""

from typing import Any

import orjson


def is_same_json(old: Any, value: Any) -> bool:
    """Return whether two values are the same JSON, whatever the order of their keys."""
    if type(old) is not type(value) or old != value:
        return False
    if not isinstance(value, dict | list):
        return True
    return orjson.dumps(old, option=orjson.OPT_SORT_KEYS) == orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
