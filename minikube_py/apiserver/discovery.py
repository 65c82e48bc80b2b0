"""Discovery documents: which groups, versions, resources and subresources this server has.

Everything derives from the resource table. Two forms exist: the legacy one (`/api`, `/apis`, one APIResourceList for
each group version), which kubectl drain, `auth can-i` and most other clients need, and the aggregated one, which
answers both roots with a single document. A client that asks for an aggregated version other than v2 must get the
legacy form: answered with v2, kubectl 1.27 to 1.29 (v2beta1 only) would see a server without resources.

Upstream: apiserver endpoints/discovery and endpoints/discovery/aggregated.
"""

from collections.abc import Sequence
from typing import Literal

from minikube_py.api.catalog import STATIC, Catalog
from minikube_py.api.custom.rows import version_priority
from minikube_py.api.meta import Obj
from minikube_py.api.resource import Resource, Subresource

DiscoveryForm = Literal["legacy", "aggregated"]

AGGREGATED_CONTENT_TYPE = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
"""What an aggregated answer declares; clients check group, version and kind."""

_AGGREGATED_PARAMETERS = {"g": "apidiscovery.k8s.io", "v": "v2", "as": "APIGroupDiscoveryList"}
_PLAIN_MEDIA_TYPES = ("application/json", "application/*", "*/*")

_GROUP_ORDER = (
    "",
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "resource.k8s.io",
)
"""Groups come in this order, others after them by name: `kubectl get x` takes the first group that has an x."""


def choose_discovery(accept: str) -> DiscoveryForm:
    """Return which form the Accept header of a request for `/api` or `/apis` asks for.

    Ranges are taken in the order in which they stand: the first one that can be served decides.
    """
    for media_range in accept.split(","):
        media_type, *rest = (part.strip() for part in media_range.split(";"))
        parameters = dict(part.split("=", 1) for part in rest if "=" in part)
        if media_type not in _PLAIN_MEDIA_TYPES:
            continue
        if {key: parameters.get(key) for key in _AGGREGATED_PARAMETERS} == _AGGREGATED_PARAMETERS:
            return "aggregated"
        if not parameters.keys() & _AGGREGATED_PARAMETERS.keys():
            return "legacy"
    return "legacy"


def served_groups(catalog: Catalog = STATIC) -> tuple[str, ...]:
    """Return the API groups in the order of preference; the core group is the empty name."""
    groups = {resource.group for resource in catalog.rows}
    known = tuple(group for group in _GROUP_ORDER if group in groups)
    return known + tuple(sorted(groups - set(known)))


def served_versions(group: str, catalog: Catalog = STATIC) -> tuple[str, ...]:
    """Return the versions of a group, the preferred one first: in the table's order, those of custom ones by name."""
    rows = [resource for resource in catalog.rows if resource.group == group]
    versions = dict.fromkeys(resource.version for resource in rows)
    if rows and all(resource.custom is not None for resource in rows):
        return tuple(sorted(versions, key=version_priority, reverse=True))
    return tuple(versions)


def api_versions(address: str, catalog: Catalog = STATIC) -> Obj:
    """Return `/api`'s APIVersions; `address` is `host:port` as a client reaches this server."""
    return {
        "kind": "APIVersions",
        "versions": list(served_versions("", catalog)),
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def api_group_list(catalog: Catalog = STATIC) -> Obj:
    """Return `/apis`' APIGroupList."""
    groups = [_group(group, catalog) for group in served_groups(catalog) if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def api_group(group: str, catalog: Catalog = STATIC) -> Obj | None:
    """Return `/apis/<group>`'s APIGroup, or None when the group is not served."""
    if not group or group not in served_groups(catalog):
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(group, catalog)}


def api_resource_list(group: str, version: str, catalog: Catalog = STATIC) -> Obj | None:
    """Return the APIResourceList of a group version (`/api/v1`, `/apis/apps/v1`), or None when it is not served."""
    if version not in served_versions(group, catalog):
        return None
    entries: list[Obj] = []
    for resource in _resources(group, version, catalog):
        entries.append(_legacy_resource(resource))
        entries.extend(_legacy_subresource(resource, subresource) for subresource in resource.subresources)
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": _group_version(group, version),
        "resources": sorted(entries, key=lambda entry: str(entry["name"])),
    }


def aggregated(catalog: Catalog = STATIC, *, core: bool) -> Obj:
    """Return the APIGroupDiscoveryList of `/api` (core) or of `/apis` (every other group)."""
    groups = [""] if core else [group for group in served_groups(catalog) if group]
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": [_aggregated_group(group, catalog) for group in groups],
    }


def _group_version(group: str, version: str) -> str:
    return f"{group}/{version}" if group else version


def _resources(group: str, version: str, catalog: Catalog) -> Sequence[Resource]:
    rows = (resource for resource in catalog.rows if (resource.group, resource.version) == (group, version))
    return sorted(rows, key=lambda resource: resource.plural)


def _group(group: str, catalog: Catalog) -> Obj:
    versions = [
        {"groupVersion": _group_version(group, version), "version": version}
        for version in served_versions(group, catalog)
    ]
    return {"name": group, "versions": versions, "preferredVersion": versions[0]}


def _legacy_resource(resource: Resource) -> Obj:
    entry: Obj = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": sorted(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    return entry


def _legacy_subresource(resource: Resource, subresource: Subresource) -> Obj:
    entry: Obj = {
        "name": f"{resource.plural}/{subresource.name}",
        "singularName": "",
        "namespaced": resource.namespaced,
    }
    if subresource.version:
        entry |= {"group": subresource.group, "version": subresource.version}
    return entry | {"kind": subresource.kind, "verbs": sorted(subresource.verbs)}


def _aggregated_group(group: str, catalog: Catalog) -> Obj:
    versions = [
        {
            "version": version,
            "resources": [_aggregated_resource(resource) for resource in _resources(group, version, catalog)],
            "freshness": "Current",
        }
        for version in served_versions(group, catalog)
    ]
    return {"metadata": {"name": group} if group else {}, "versions": versions}


def _aggregated_resource(resource: Resource) -> Obj:
    entry: Obj = {
        "resource": resource.plural,
        "responseKind": {"group": resource.group, "version": resource.version, "kind": resource.kind},
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": sorted(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if resource.subresources:
        entry["subresources"] = [_aggregated_subresource(resource, sub) for sub in resource.subresources]
    return entry


def _aggregated_subresource(resource: Resource, subresource: Subresource) -> Obj:
    group, version = (
        (subresource.group, subresource.version) if subresource.version else (resource.group, resource.version)
    )
    return {
        "subresource": subresource.name,
        "responseKind": {"group": group, "version": version, "kind": subresource.kind},
        "verbs": sorted(subresource.verbs),
    }
