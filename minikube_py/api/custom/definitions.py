"""The rules of the resource CustomResourceDefinition, with what they need of custom resources' own rules.

A default must fit the schema that it stands in; a rule (x-kubernetes-validations) must compile.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.custom.defaulting import set_defaults as set_custom_defaults
from minikube_py.api.custom.nodes import Node
from minikube_py.api.custom.pruning import prune
from minikube_py.api.custom.validation import validate_value
from minikube_py.api.custom.validation_rules import check_rules
from minikube_py.api.resource import Fields, Rules
from minikube_py.api.rules import apiextensions
from minikube_py.api.rules.faults import Faults, invalid, items, part
from minikube_py.api.rules.metadata import validate_metadata, validate_metadata_update


def check_default(default: Any, node: Node, path: str) -> Faults:
    """Yield the faults of a default: it must be as it would be stored, and fit its schema."""
    if default is None:
        if not node.get("nullable"):
            yield invalid(path, None, "must not be null")
        return
    wrapped = {"v": default}
    gone = prune({"v": _copied(default)}, {"properties": {"v": node}})
    if gone:
        yield invalid(path, default, f"must not have unknown fields: {', '.join(g.partition('v')[2] for g in gone)}")
        return
    completed = _copied(wrapped)
    set_custom_defaults(completed, {"properties": {"v": node}})
    yield from validate_value(completed["v"], node, path)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def validate(crd: Mapping[str, Any]) -> Fields:
    """Return the faults of a definition."""
    return (*validate_metadata(crd), *apiextensions.validate_definition(crd, check_default, check_rules))


def validate_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> Fields:
    """Return the faults of a change of a definition; what rules cost of a schema that stands already is let be."""
    schemas = [part(version, "schema").get("openAPIV3Schema") for version in items(part(old, "spec"), "versions")]

    def check_changed(node: Node, path: str) -> Faults:
        return check_rules(node, path, costs=node not in schemas)

    own = apiextensions.validate_definition_update(new, old, check_default, check_changed)
    return (*validate_metadata_update(new, old), *own)


CUSTOM_RESOURCE_DEFINITION_RULES = Rules(
    apiextensions.set_defaults,
    apiextensions.prepare_create,
    apiextensions.prepare_update,
    validate,
    validate_update,
)
