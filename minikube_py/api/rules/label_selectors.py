"""Rules for selectors inside objects: LabelSelector, and the node selector terms that are made alike.

Upstream: apimachinery apis/meta/v1/validation, pkg/apis/core/validation ValidateNodeSelectorRequirement.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.names import label_value_faults, qualified_name_faults
from minikube_py.api.rules.faults import Faults, all_invalid, forbidden, indexed, invalid, items, part, required
from minikube_py.api.rules.metadata import validate_labels

BAD_OPERATOR = "not a valid selector operator"


def validate_label_selector(selector: Mapping[str, Any], path: str) -> Faults:
    """Yield the faults of a LabelSelector."""
    yield from validate_labels(part(selector, "matchLabels"), f"{path}.matchLabels")
    for here, requirement in indexed(selector, "matchExpressions", path):
        operator = requirement.get("operator")
        yield from validate_values(requirement, here, numbers=False)
        yield from all_invalid(
            f"{here}.key", requirement.get("key", ""), qualified_name_faults(requirement.get("key", ""))
        )
        if operator in ("In", "NotIn"):
            for index, value in enumerate(items(requirement, "values")):
                yield from all_invalid(f"{here}.values[{index}]", value, label_value_faults(value))


def validate_values(requirement: Mapping[str, Any], path: str, *, numbers: bool) -> Faults:
    """Yield the faults of a requirement's operator and of how many values go with it."""
    operator, values = requirement.get("operator"), items(requirement, "values")
    if operator in ("In", "NotIn"):
        if not values:
            yield required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            yield forbidden(f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    elif operator in ("Gt", "Lt") and numbers:
        if len(values) != 1:
            yield required(f"{path}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'")
    else:
        yield invalid(f"{path}.operator", operator or "", BAD_OPERATOR)
