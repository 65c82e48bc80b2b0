"""Cells that kinds with pod templates and label selectors share."""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.columns.ages import NONE
from minikube_py.api.resource import Column


def spec_of(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the object's spec, or an empty mapping."""
    return obj.get("spec") or {}


def status_of(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the object's status, or an empty mapping."""
    return obj.get("status") or {}


def format_labels(labels: Mapping[str, str] | None) -> str:
    """Return `a=b,c=d`, sorted, or `<none>` (upstream: labels.FormatLabels)."""
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE


def format_selector(selector: Mapping[str, Any] | None) -> str:
    """Return a LabelSelector as text, sorted by key, or `<none>` (upstream: metav1.FormatLabelSelector)."""
    requirements = [(key, f"{key}={value}") for key, value in ((selector or {}).get("matchLabels") or {}).items()]
    for expression in (selector or {}).get("matchExpressions") or ():
        key, values = expression["key"], ",".join(sorted(expression.get("values") or ()))
        match expression["operator"]:
            case "Exists":
                text = key
            case "DoesNotExist":
                text = f"!{key}"
            case operator:
                text = f"{key} {operator.lower()} ({values})"
        requirements.append((key, text))
    return ",".join(text for _, text in sorted(requirements)) or NONE


def _containers(obj: Mapping[str, Any], field: str) -> str:
    template = spec_of(obj).get("template") or {}
    return ",".join(str(container.get(field, "")) for container in spec_of(template).get("containers") or ())


CONTAINERS = Column(
    "Containers",
    lambda obj, _: _containers(obj, "name"),
    description="Names of the containers in the template.",
    priority=1,
)
IMAGES = Column(
    "Images",
    lambda obj, _: _containers(obj, "image"),
    description="Images of the containers in the template.",
    priority=1,
)
SELECTOR = Column(
    "Selector",
    lambda obj, _: format_selector(spec_of(obj).get("selector")),
    description="Which pods belong to the object.",
    priority=1,
)
