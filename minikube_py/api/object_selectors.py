"""Label selectors as objects carry them (metav1.LabelSelector) -> the requirements of `api.selectors`.

Three absences mean three things, as upstream (metav1.LabelSelectorAsSelector): no selector selects nothing, an
empty one selects everything, a requirement that cannot be understood selects nothing.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.selectors import LabelOperator, LabelRequirement, LabelSelector, matches_labels

_OPERATORS: Mapping[str, LabelOperator] = {
    "In": "in",
    "NotIn": "notin",
    "Exists": "exists",
    "DoesNotExist": "!",
    "Gt": ">",
    "Lt": "<",
}


def compile_expressions(expressions: object) -> LabelSelector | None:
    """Return the requirements of a list of {key, operator, values}; None when one of them is not understood."""
    requirements = []
    for expression in expressions if isinstance(expressions, list) else ():
        operator = _OPERATORS.get(expression.get("operator", ""))
        values = tuple(expression.get("values") or ())
        if operator is None or (operator in (">", "<") and not (values and _is_number(values[0]))):
            return None
        requirements.append(LabelRequirement(str(expression.get("key", "")), operator, values))
    return tuple(requirements)


def compile_label_selector(selector: Mapping[str, Any] | None) -> LabelSelector | None:
    """Return the requirements of a LabelSelector; None: it selects nothing."""
    if selector is None:
        return None
    expressions = compile_expressions(selector.get("matchExpressions"))
    if expressions is None:
        return None
    exact = (selector.get("matchLabels") or {}).items()
    return (*(LabelRequirement(key, "=", (value,)) for key, value in sorted(exact)), *expressions)


def selects(selector: LabelSelector | None, labels: Mapping[str, str]) -> bool:
    """Return whether a compiled selector selects an object with these labels."""
    return selector is not None and matches_labels(selector, labels)


def _is_number(text: str) -> bool:
    return text.lstrip("+-").isdigit()
