"""Discovery documents: which groups, versions, resources and subresources this server has.

Everything derives from the resource table. Two forms exist: the legacy one (`/api`, `/apis`, one APIResourceList for
each group version), which kubectl drain, `auth can-i` and most other clients need, and the aggregated one, which
answers both roots with a single document. A client that asks for an aggregated version other than v2 must get the
legacy form: answered with v2, kubectl 1.27 to 1.29 (v2beta1 only) would see a server without resources.

Here is what this server has itself; `merged_discovery` puts it together with what other servers have.

Upstream: apiserver endpoints/discovery and endpoints/discovery/aggregated.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from minikube_py.api.catalog import STATIC, Catalog
from minikube_py.api.meta import Obj
from minikube_py.api.resource import Resource, Subresource
from minikube_py.apiserver.api_priorities import (
    CUSTOM_PRIORITY,
    GroupVersion,
    Priority,
    built_in_priority,
    order_groups,
)

DiscoveryForm = Literal["legacy", "aggregated"]

AGGREGATED_CONTENT_TYPE = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
"""What an aggregated answer declares; clients check group, version and kind."""

_AGGREGATED_PARAMETERS = {"g": "apidiscovery.k8s.io", "v": "v2", "as": "APIGroupDiscoveryList"}
_PLAIN_MEDIA_TYPES = ("application/json", "application/*", "*/*")


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
    return tuple(_versions_by_group(catalog))


def served_versions(group: str, catalog: Catalog = STATIC) -> tuple[str, ...]:
    """Return the versions of a group, the preferred one first."""
    return _versions_by_group(catalog).get(group, ())


def _versions_by_group(catalog: Catalog) -> Mapping[str, tuple[str, ...]]:
    priorities: dict[GroupVersion, Priority] = {}
    for row in catalog.rows:
        default = CUSTOM_PRIORITY if row.custom is not None else built_in_priority(row.group, row.version)
        priorities.setdefault((row.group, row.version), default)
    return dict(order_groups(priorities))


def api_versions(address: str, catalog: Catalog = STATIC) -> Obj:
    """Return `/api`'s APIVersions; `address` is `host:port` as a client reaches this server."""
    return {
        "kind": "APIVersions",
        "versions": list(served_versions("", catalog)),
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


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


def _group_version(group: str, version: str) -> str:
    return f"{group}/{version}" if group else version


def _resources(group: str, version: str, catalog: Catalog) -> Sequence[Resource]:
    rows = (resource for resource in catalog.rows if (resource.group, resource.version) == (group, version))
    return sorted(rows, key=lambda resource: resource.plural)


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


def aggregated_version(group: str, version: str, catalog: Catalog = STATIC) -> Obj:
    """Return the APIVersionDiscovery of a group version of this server."""
    return {
        "version": version,
        "resources": [_aggregated_resource(resource) for resource in _resources(group, version, catalog)],
        "freshness": "Current",
    }


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
