"""Discovery of this server and others as one."""

import pytest

from minikube_py.apiserver.api_priorities import Priority
from minikube_py.apiserver.api_services import ApiService, ServiceReference, registry_of
from minikube_py.apiserver.merged_discovery import (
    merged_discovery,
    merged_group,
    merged_group_list,
    parse_aggregated,
    parse_legacy,
)

BEHIND = ServiceReference("ns", "s", 443)
PAIR = ("x.io", "v1")
ENTRY = {"version": "v1", "resources": [{"resource": "things"}], "freshness": "Current"}


def a_service(group="x.io", version="v1", priority=(1000, 10), service=BEHIND):
    return ApiService(f"{version}.{group}", group, version, Priority(*priority), service)


def names(document):
    return [group["name"] for group in document["groups"]]


def test_other_servers_groups_stand_where_their_priority_puts_them():
    low = merged_group_list(registry=registry_of((a_service(priority=(1000, 1)),)))
    high = merged_group_list(registry=registry_of((a_service(priority=(17790, 1)),)))

    assert names(low)[-2:] == ["x.io", "metrics.k8s.io"]
    assert names(high)[:3] == ["apiregistration.k8s.io", "apps", "x.io"]


def test_what_people_say_in_a_local_api_service_counts():
    registry = registry_of((a_service("batch", "v1", (19999, 1), None),))

    assert names(merged_group_list(registry=registry))[:2] == ["apiregistration.k8s.io", "batch"]


def test_a_group_may_have_versions_of_two_servers():
    registry = registry_of((a_service("apps", "v9", (100, 99)),))
    group = merged_group("apps", registry=registry)

    assert [version["version"] for version in group["versions"]] == ["v9", "v1"]
    assert group["preferredVersion"]["groupVersion"] == "apps/v9"
    assert merged_group("nope", registry=registry) is None


def test_what_cannot_be_fetched_is_there_and_stale():
    registry = registry_of((a_service(),))
    current = merged_discovery(registry=registry, remote={PAIR: ENTRY}, core=False)["items"][-2]
    unknown = merged_discovery(registry=registry, core=False)["items"][-2]

    assert current == {"metadata": {"name": "x.io"}, "versions": [ENTRY]}
    assert unknown["versions"] == [{"version": "v1", "freshness": "Stale"}]


def test_an_api_service_takes_the_place_of_what_this_server_has():
    registry = registry_of((a_service("batch", "v1"),))
    items = merged_discovery(registry=registry, core=False)["items"]

    (batch,) = [item for item in items if item["metadata"]["name"] == "batch"]
    assert batch["versions"] == [{"version": "v1", "freshness": "Stale"}]


def test_of_an_aggregated_document_the_group_version_counts():
    versions = [{"version": "v2", "resources": []}, {"version": "v1", "resources": [{"resource": "things"}]}]
    document = {"kind": "APIGroupDiscoveryList", "items": [{"metadata": {"name": "x.io"}, "versions": versions}]}

    assert parse_aggregated(document, PAIR) == ENTRY
    assert parse_aggregated(document, ("y.io", "v1")) == {"version": "v1", "freshness": "Current"}
    assert parse_aggregated({"kind": "APIGroupList"}, PAIR) is None


def test_a_legacy_list_says_the_same():
    resources = [
        {
            "name": "things/scale",
            "namespaced": True,
            "kind": "Scale",
            "group": "autoscaling",
            "version": "v1",
            "verbs": [],
        },
        {"name": "things", "singularName": "thing", "namespaced": True, "kind": "Thing", "verbs": ["get"]},
        {"name": "roots", "namespaced": False, "kind": "Root", "verbs": ["list"], "shortNames": ["r"]},
    ]
    entry = parse_legacy({"kind": "APIResourceList", "resources": resources}, PAIR)

    roots, things = entry["resources"]
    assert (roots["resource"], roots["scope"], roots["shortNames"]) == ("roots", "Cluster", ["r"])
    assert things["responseKind"] == {"group": "x.io", "version": "v1", "kind": "Thing"}
    assert things["subresources"] == [
        {
            "subresource": "scale",
            "responseKind": {"group": "autoscaling", "version": "v1", "kind": "Scale"},
            "verbs": [],
        }
    ]
    assert entry["freshness"] == "Current"


@pytest.mark.parametrize("document", [{}, {"kind": "Status"}])
def test_what_is_no_list_makes_no_entry(document):
    assert parse_legacy(document, PAIR) is None
