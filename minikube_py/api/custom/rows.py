"""A CustomResourceDefinition as rows of the resource table: one for each version that is served.

Routes, discovery, documents, storage keys, tables and watches come from rows, so that a custom resource is served as
a built-in one is. All versions share their storage keys; objects are stored in the storage version.

Upstream: apiextensions-apiserver apiserver/customresource_handler.go (crdInfo).
"""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from minikube_py.api.custom.columns import columns_of
from minikube_py.api.custom.correlation import UNKNOWN
from minikube_py.api.custom.defaulting import has_defaults, set_defaults
from minikube_py.api.custom.embedded import validate_embedded
from minikube_py.api.custom.list_types import validate_lists
from minikube_py.api.custom.nodes import Node
from minikube_py.api.custom.pruning import prune
from minikube_py.api.custom.schema_values import schema_of_node
from minikube_py.api.custom.validation import rules_not_checked, validate_value
from minikube_py.api.custom.validation_rules import run_rules
from minikube_py.api.jsonpath import render_value, simple_path, value_at
from minikube_py.api.meta import Obj, is_deleting, name_of
from minikube_py.api.resource import CustomTraits, Fields, Resource, Rules, ScalePaths, Subresource
from minikube_py.api.rules.apiextensions import is_established
from minikube_py.api.rules.faults import items, part
from minikube_py.api.rules.metadata import validate_metadata, validate_metadata_update

_STATUS_VERBS = ("get", "patch", "update")
_KUBE_VERSION = re.compile(r"v([0-9]+)(?:(alpha|beta)([0-9]+))?")
_STABILITY = {"alpha": 1, "beta": 2, None: 3}


def rows_of(crd: Mapping[str, Any], since: int = 0) -> tuple[Resource, ...]:
    """Return the rows of a definition, best version first; none before it is established.

    Args:
        crd: the definition, as stored.
        since: the revision from which on objects are written under this very definition.
    """
    if not is_established(crd):
        return ()
    spec = part(crd, "spec")
    versions = sorted(items(spec, "versions"), key=lambda v: version_priority(str(v["name"])), reverse=True)
    return tuple(_row(crd, version, since) for version in versions if version.get("served"))


def version_priority(version: str) -> tuple[int, int, int, int, tuple[int, ...]]:
    """Return a key that sorts versions from worst to best: v2 > v1 > v1beta2 > v1alpha1 > anything else by name."""
    found = _KUBE_VERSION.fullmatch(version)
    if found is None:
        return 0, 0, 0, 0, (*(-ord(letter) for letter in version), 1)
    major, word, minor = found.groups()
    return 1, _STABILITY[word], int(major), int(minor or 0), ()


def storage_version(crd: Mapping[str, Any]) -> str:
    """Return the name of the version in which objects are stored."""
    return next(str(v["name"]) for v in items(part(crd, "spec"), "versions") if v.get("storage"))


def _row(crd: Mapping[str, Any], version: Node, since: int) -> Resource:
    spec, names = part(crd, "spec"), part(part(crd, "status"), "acceptedNames")
    group, name = str(spec["group"]), str(version["name"])
    node: Node = part(version, "schema").get("openAPIV3Schema") or {}
    subresources = part(version, "subresources")
    has_status = subresources.get("status") is not None
    return Resource(
        group=group,
        version=name,
        kind=names["kind"],
        plural=names["plural"],
        singular=names["singular"],
        namespaced=spec["scope"] == "Namespaced",
        rules=_rules(node, has_status=has_status),
        columns=columns_of(version),
        short_names=tuple(items(names, "shortNames")),
        categories=tuple(items(names, "categories")),
        subresources=_subresources(str(names["kind"]), subresources),
        has_generation=True,
        field_selectors=_field_selectors(version),
        unconditional_update=False,
        status_alone=True,
        validate_status=partial(_validate_change, node),
        scale=_scale(subresources),
        custom=CustomTraits(
            definition=name_of(crd),
            schema=schema_of_node(node, f"{names['plural']}.{group}/{name}@{since}"),
            node=node,
            prune=partial(_prune, node),
            list_kind=str(names.get("listKind") or f"{names['kind']}List"),
            storage_version=f"{group}/{storage_version(crd)}",
            conversion=part(spec, "conversion"),
            served=tuple(f"{group}/{v['name']}" for v in items(spec, "versions") if v.get("served")),
            since=since,
            has_defaults=has_defaults(node),
            terminating=is_deleting(crd),
        ),
        deprecation=_deprecation(crd, version),
    )


def _prune(node: Node, obj: Obj) -> tuple[str, ...]:
    return prune(obj, node)


def _deprecation(crd: Mapping[str, Any], version: Node) -> str:
    if not version.get("deprecated"):
        return ""
    spec = part(crd, "spec")
    default = f"{spec['group']}/{version['name']} {part(spec, 'names').get('kind')} is deprecated"
    return str(version.get("deprecationWarning") or default)


def _subresources(kind: str, declared: Mapping[str, Any]) -> tuple[Subresource, ...]:
    found = []
    if declared.get("status") is not None:
        found.append(Subresource("status", kind, _STATUS_VERBS))
    if declared.get("scale") is not None:
        found.append(Subresource("scale", "Scale", _STATUS_VERBS, group="autoscaling", version="v1"))
    return tuple(found)


def _scale(declared: Mapping[str, Any]) -> ScalePaths | None:
    scale = declared.get("scale")
    if scale is None:
        return None
    selector = scale.get("labelSelectorPath")
    return ScalePaths(
        spec_replicas=simple_path(scale["specReplicasPath"]),
        status_replicas=simple_path(scale["statusReplicasPath"]),
        label_selector=simple_path(selector) if selector else (),
    )


def _field_selectors(version: Node) -> Mapping[str, Callable[[Mapping[str, Any]], str]]:
    paths = (str(field["jsonPath"]) for field in items(version, "selectableFields"))
    return {path.removeprefix("."): partial(_read, simple_path(path)) for path in paths}


def _read(path: tuple[str, ...], obj: Mapping[str, Any]) -> str:
    value = value_at(obj, path)
    return "" if value is None else render_value(value)


def _rules(node: Node, *, has_status: bool) -> Rules:
    def prepare_create(obj: Obj) -> None:
        if has_status:
            obj.pop("status", None)

    def validate(obj: Mapping[str, Any]) -> Fields:
        return (*validate_metadata(obj), *_validate_object(node, obj, UNKNOWN))

    def validate_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> Fields:
        return (*validate_metadata_update(new, old), *_validate_object(node, new, old))

    return Rules(
        set_defaults=lambda obj: set_defaults(obj, node),
        prepare_create=prepare_create,
        prepare_update=lambda new, old: None,
        validate=validate,
        validate_update=validate_update,
    )


def _validate_change(node: Node, new: Mapping[str, Any], old: Mapping[str, Any]) -> Fields:
    return _validate_object(node, new, old)


def _validate_object(node: Node, obj: Mapping[str, Any], old: Any) -> Fields:
    faults = (
        *validate_value(obj, node, old=old),
        *validate_embedded(obj, node),
        *validate_lists(obj, node),
    )
    skipped = tuple(rules_not_checked(faults))
    return (*faults, *(skipped or run_rules(obj, node, old)))
