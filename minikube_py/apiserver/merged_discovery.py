"""Discovery of everything: what this server has, and what the servers of APIServices have.

Another server's part is its own document, fetched and kept: the aggregated one (v2, or v2beta1 of older servers), or
what can be made of the legacy list of one group version. While it cannot be fetched the group version is there
without resources and `freshness: Stale`, which tells clients that they do not see all; the others are as they were.

Upstream: kube-aggregator pkg/apiserver (handler_apis.go, handler_discovery.go), apiserver
endpoints (ConvertGroupVersionIntoToDiscovery).
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from minikube_py.api.catalog import STATIC, Catalog
from minikube_py.api.meta import Obj
from minikube_py.apiserver.api_priorities import (
    CUSTOM_PRIORITY,
    GroupVersion,
    Priority,
    built_in_priority,
    order_groups,
)
from minikube_py.apiserver.api_services import NO_SERVICES, Registry, service_name
from minikube_py.apiserver.discovery import aggregated_version

ACCEPT_AGGREGATED = ",".join(
    f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList" for version in ("v2", "v2beta1")
)
"""What another server is asked for at `/apis`."""
CURRENT, STALE = "Current", "Stale"

RemoteVersions = Mapping[GroupVersion, Obj]
"""The APIVersionDiscovery of each group version of other servers, with its freshness."""


def priorities(catalog: Catalog, registry: Registry) -> Mapping[GroupVersion, Priority]:
    """Return every group version that is served, with its priority: its APIService says it, else the table."""
    found: dict[GroupVersion, Priority] = {}
    for row in catalog.rows:
        pair = (row.group, row.version)
        if pair not in found:
            own = registry.services.get(service_name(*pair))
            default = CUSTOM_PRIORITY if row.custom is not None else built_in_priority(*pair)
            found[pair] = own.priority if own is not None else default
    for pair, service in registry.remote.items():
        found[pair] = service.priority
    return found


def merged_groups(catalog: Catalog, registry: Registry) -> Sequence[tuple[str, tuple[str, ...]]]:
    """Return all groups with their versions, the preferred ones first."""
    return order_groups(priorities(catalog, registry))


def merged_group_list(catalog: Catalog = STATIC, registry: Registry = NO_SERVICES) -> Obj:
    """Return `/apis`' APIGroupList."""
    groups = [_group(group, versions) for group, versions in merged_groups(catalog, registry) if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def merged_group(group: str, catalog: Catalog = STATIC, registry: Registry = NO_SERVICES) -> Obj | None:
    """Return `/apis/<group>`'s APIGroup, or None when nobody serves the group."""
    versions = dict(merged_groups(catalog, registry)).get(group)
    if not group or versions is None:
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(group, versions)}


def merged_discovery(
    catalog: Catalog = STATIC,
    registry: Registry = NO_SERVICES,
    remote: RemoteVersions = MappingProxyType({}),
    *,
    core: bool,
) -> Obj:
    """Return the APIGroupDiscoveryList of `/api` (core) or of `/apis` (every other group)."""
    items: list[Obj] = []
    for group, versions in merged_groups(catalog, registry):
        if (group == "") is core:
            entries = [_version(group, version, catalog, registry, remote) for version in versions]
            items.append({"metadata": {"name": group} if group else {}, "versions": entries})
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _version(group: str, version: str, catalog: Catalog, registry: Registry, remote: RemoteVersions) -> Obj:
    if (group, version) in registry.remote:
        return remote.get((group, version)) or stale_version(version)
    return aggregated_version(group, version, catalog)


def _group(group: str, versions: Sequence[str]) -> Obj:
    entries = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": entries, "preferredVersion": entries[0]}


def stale_version(version: str) -> Obj:
    """Return the entry of a group version whose server cannot be asked."""
    return {"version": version, "freshness": STALE}


def parse_aggregated(document: Mapping[str, Any], pair: GroupVersion) -> Obj | None:
    """Return the entry of a group version in another server's APIGroupDiscoveryList; None: this is no such list.

    A list without the group version makes an entry without resources.
    """
    if document.get("kind") != "APIGroupDiscoveryList":
        return None
    group, version = pair
    for item in document.get("items") or ():
        if ((item.get("metadata") or {}).get("name") or "") == group:
            for entry in item.get("versions") or ():
                if entry.get("version") == version:
                    return {**entry, "freshness": CURRENT}
    return {"version": version, "freshness": CURRENT}


def parse_legacy(document: Mapping[str, Any], pair: GroupVersion) -> Obj | None:
    """Return the entry that an APIResourceList makes; None: this is none.

    `pods/status` goes under `pods`; a subresource whose parent is not in the list makes one without verbs.
    """
    if document.get("kind") != "APIResourceList":
        return None
    resources: dict[str, Obj] = {}
    for entry in document.get("resources") or ():
        name, _, subresource = str(entry.get("name") or "").partition("/")
        kind = {
            "group": entry.get("group") or pair[0],
            "version": entry.get("version") or pair[1],
            "kind": str(entry.get("kind") or ""),
        }
        scope = "Namespaced" if entry.get("namespaced") else "Cluster"
        if not subresource:
            found = resources.setdefault(name, {"resource": name})
            found |= {
                "responseKind": kind,
                "scope": scope,
                "singularResource": str(entry.get("singularName") or ""),
                "verbs": list(entry.get("verbs") or ()),
            }
            found |= {key: list(entry[key]) for key in ("shortNames", "categories") if entry.get(key)}
            continue
        parent = resources.setdefault(name, {"resource": name, "scope": scope, "singularResource": "", "verbs": []})
        child = {"subresource": subresource, "responseKind": kind, "verbs": list(entry.get("verbs") or ())}
        parent.setdefault("subresources", []).append(child)
    return {"version": pair[1], "resources": [resources[name] for name in sorted(resources)], "freshness": CURRENT}
