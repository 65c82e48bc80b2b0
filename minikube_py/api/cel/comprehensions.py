"""What the macros over lists and maps do: one fold for each kind.

A fold takes the container, the iteration (which sets the variables before it yields), the condition and the result,
both to be asked while the iteration stands at an element. `all` and `exists` absorb errors as `&&` and `||` do.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from minikube_py.api.cel.operators import BINARY, has_key
from minikube_py.api.cel.runtime_costs import LoopCost
from minikube_py.api.cel.values import Budget, CelError, CostLimitError, NoOverloadError, type_name

Pairs: TypeAlias = Iterator[tuple[Any, ...]]
Ask: TypeAlias = Callable[[], Any] | None
Fold: TypeAlias = Callable[[Any, Pairs, Ask, Ask], Any]


def iterate(value: Any, count: int) -> Pairs:
    """Yield what the variables stand for: element or key; or index and element, or key and value.

    Raises:
        NoOverloadError: the value is neither a list nor a map.
    """
    if isinstance(value, Mapping):
        yield from value.items() if count == 2 else ((key,) for key in value)
    elif isinstance(value, list | tuple):
        yield from enumerate(value) if count == 2 else ((item,) for item in value)
    else:
        raise NoOverloadError(f"comprehension over {type_name(value)}")


class Loop:
    """The way over the elements of a list or map: sets the variables, and counts what each element costs."""

    def __init__(
        self, value: Any, variables: dict[str, Any], names: Sequence[str], budget: Budget, cost: LoopCost
    ) -> None:
        self.at_end = False
        """Whether all elements were looked at; else `all` and `exists` knew enough before."""
        self._value = value
        self._variables = variables
        self._names = names
        self._budget = budget
        self._cost = cost

    def pairs(self) -> Pairs:
        """Yield what the variables stand for, once they do."""
        budget, each = self._budget, self._cost.condition + self._cost.element
        left = len(self._value) if isinstance(self._value, list | tuple | Mapping) else 0
        self.at_end = not left
        for pair in iterate(self._value, len(self._names)):
            left -= 1
            self.at_end = not left
            before = budget.left
            budget.spend(each)
            self._variables.update(zip(self._names, pair, strict=True))
            yield pair
            if budget.left == before:
                budget.spend(1)  # elements for which upstream counts nothing take time, too


def _truth(test: Ask) -> bool:
    assert test is not None
    answer = test()
    if not isinstance(answer, bool):
        raise NoOverloadError(f"a predicate of type {type_name(answer)}")
    return answer


def _until(pairs: Pairs, test: Ask, *, decides: bool) -> bool:
    """Return `decides` as soon as one element says so; an error counts only when none does."""
    failure: CelError | None = None
    for _ in pairs:
        try:
            if _truth(test) is decides:
                return decides
        except CostLimitError:
            raise
        except CelError as error:
            failure = failure or error
    if failure is not None:
        raise failure
    return not decides


def _all(value: Any, pairs: Pairs, test: Ask, make: Ask) -> Any:
    return _until(pairs, test, decides=False)


def _exists(value: Any, pairs: Pairs, test: Ask, make: Ask) -> Any:
    return _until(pairs, test, decides=True)


def _exists_one(value: Any, pairs: Pairs, test: Ask, make: Ask) -> Any:
    return sum(_truth(test) for _ in pairs) == 1


def _filter(value: Any, pairs: Pairs, test: Ask, make: Ask) -> Any:
    return [pair[0] for pair in pairs if _truth(test)]


def _map(value: Any, pairs: Pairs, test: Ask, make: Ask) -> Any:
    assert make is not None
    return [make() for _ in pairs if test is None or _truth(test)]


def _transform_map(value: Any, pairs: Pairs, test: Ask, make: Ask) -> Any:
    assert make is not None
    return {key: make() for key, _ in pairs if test is None or _truth(test)}


def _transform_map_entry(value: Any, pairs: Pairs, test: Ask, make: Ask) -> Any:
    assert make is not None
    made: dict[Any, Any] = {}
    for _ in pairs:
        if test is None or _truth(test):
            entries = make()
            if not isinstance(entries, Mapping):
                raise NoOverloadError(f"transformMapEntry to {type_name(entries)}")
            for key, entry in entries.items():
                if has_key(made, key):
                    raise CelError(f"insert failed: key {key} already exists")
                made[key] = entry
    return made


def _sort_by(value: Any, pairs: Pairs, test: Ask, make: Ask) -> Any:
    assert make is not None
    return [item for _, item in sort_pairs([(make(), pair[0]) for pair in pairs])]


def sort_pairs(pairs: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Return pairs in the order of their first parts, which must be comparable with one another.

    Raises:
        NoOverloadError: they are not.
    """
    less = BINARY["_<_"]
    for key, _ in pairs:
        less(pairs[0][0], key)
    return sorted(pairs, key=lambda pair: pair[0])


FOLDS: Mapping[str, Fold] = {
    "all": _all,
    "exists": _exists,
    "existsOne": _exists_one,
    "filter": _filter,
    "map": _map,
    "transformList": _map,
    "transformMap": _transform_map,
    "transformMapEntry": _transform_map_entry,
    "sortBy": _sort_by,
}
"""Macro -> what it does."""
