"""The table of functions: global ones by their whole name (`size`, `sets.contains`), methods by theirs.

A function takes the values, a method the target first; it raises NoOverloadError for types that it does not take,
and then the next one of that name is asked. What it costs to look at the arguments is counted by the caller.
"""

import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from minikube_py.api.cel import (
    library_authorizer,
    library_format,
    library_lists,
    library_network,
    library_quantity,
    library_standard,
    library_strings,
    library_time,
)
from minikube_py.api.cel.values import NoOverloadError

Function: TypeAlias = Callable[..., Any]

_LIBRARIES = (
    library_standard,
    library_time,
    library_strings,
    library_lists,
    library_network,
    library_quantity,
    library_format,
    library_authorizer,
)


def _together(tables: Iterable[Mapping[str, Function]]) -> Mapping[str, tuple[Function, ...]]:
    merged: defaultdict[str, tuple[Function, ...]] = defaultdict(tuple)
    for table in tables:
        for name, function in table.items():
            merged[name] += (function,)
    return dict(merged)


FUNCTIONS = _together(library.FUNCTIONS for library in _LIBRARIES)
METHODS = _together(library.METHODS for library in _LIBRARIES)


def pick(functions: Sequence[Function], count: int) -> Function | None:
    """Return what to call with so many values; None when none of the functions takes so many."""
    fitting = [function for function in functions if _takes(function, count)]
    if len(fitting) < 2:
        return fitting[0] if fitting else None

    def call(*values: Any) -> Any:
        for function in fitting[:-1]:
            try:
                return function(*values)
            except NoOverloadError:
                continue
        return fitting[-1](*values)

    return call


@cache
def _takes(function: Function, count: int) -> bool:
    parameters = inspect.signature(function).parameters.values()
    least = sum(parameter.default is inspect.Parameter.empty for parameter in parameters)
    return least <= count <= len(parameters)
