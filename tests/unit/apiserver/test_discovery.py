"""Discovery answers what the resource table says, in the two forms that clients ask for."""

import pytest

from minikube_py.api.resources import RESOURCES
from minikube_py.apiserver import discovery, merged_discovery

V2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
V2BETA1 = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "legacy"),
        ("application/json", "legacy"),
        ("*/*", "legacy"),
        (V2, "aggregated"),
        ("application/json; as=APIGroupDiscoveryList; v=v2; g=apidiscovery.k8s.io", "aggregated"),
        (f"{V2},{V2BETA1},application/json", "aggregated"),
        (f"{V2BETA1},{V2},application/json", "aggregated"),
        (f"{V2BETA1},application/json", "legacy"),
        (f"application/json,{V2}", "legacy"),
        (f"{V2};profile=nopeer,{V2},application/json", "aggregated"),
        ("application/vnd.kubernetes.protobuf, */*", "legacy"),
    ],
)
def test_only_v2_is_answered_in_the_aggregated_form(accept, form):
    assert discovery.choose_discovery(accept) == form


def test_the_roots_name_every_group_once():
    groups = merged_discovery.merged_group_list()["groups"]

    assert discovery.api_versions("h:6443")["versions"] == ["v1"]
    assert [group["name"] for group in groups[:2]] == ["apiregistration.k8s.io", "apps"]
    assert sorted(group["name"] for group in groups) == sorted({r.group for r in RESOURCES if r.group})
    assert all(group["preferredVersion"] == group["versions"][0] for group in groups)
    autoscaling = next(group for group in groups if group["name"] == "autoscaling")
    assert [version["version"] for version in autoscaling["versions"]] == ["v2", "v1"]


def test_both_forms_describe_the_same_resources():
    legacy, modern = set(), set()
    for resource in RESOURCES:
        document = discovery.api_resource_list(resource.group, resource.version)
        for entry in document["resources"]:
            verbs = tuple(entry["verbs"])
            legacy.add((document["groupVersion"], entry["name"], entry["kind"], entry["namespaced"], verbs))
    for group in [
        *merged_discovery.merged_discovery(core=True)["items"],
        *merged_discovery.merged_discovery(core=False)["items"],
    ]:
        for version in group["versions"]:
            name = group["metadata"].get("name", "")
            group_version = f"{name}/{version['version']}" if name else version["version"]
            for entry in version["resources"]:
                scope = entry["scope"] == "Namespaced"
                rows = [(entry["resource"], entry["responseKind"]["kind"], entry["verbs"])] + [
                    (f"{entry['resource']}/{sub['subresource']}", sub["responseKind"]["kind"], sub["verbs"])
                    for sub in entry.get("subresources", ())
                ]
                modern |= {(group_version, n, kind, scope, tuple(verbs)) for n, kind, verbs in rows}

    assert legacy == modern
    assert {(r.api_version, r.plural) for r in RESOURCES} <= {(version, name) for version, name, *_ in modern}


def test_the_core_root_holds_the_nameless_group_only():
    assert [item["metadata"] for item in merged_discovery.merged_discovery(core=True)["items"]] == [{}]
    assert all(item["metadata"]["name"] for item in merged_discovery.merged_discovery(core=False)["items"])


def test_scale_says_that_it_is_of_autoscaling_v1():
    resources = {r["name"]: r for r in discovery.api_resource_list("apps", "v1")["resources"]}

    assert resources["deployments/scale"]["group"] == "autoscaling"
    assert resources["deployments/scale"]["version"] == "v1"
    assert resources["deployments"]["shortNames"] == ["deploy"]
    assert "group" not in resources["deployments/status"]


def test_what_is_not_served_has_no_document():
    assert merged_discovery.merged_group("nope.k8s.io") is None
    assert merged_discovery.merged_group("") is None
    assert discovery.api_resource_list("apps", "v1beta1") is None
    assert merged_discovery.merged_group("apps")["kind"] == "APIGroup"
