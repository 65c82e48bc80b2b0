"""Group versions of other API servers."""

from minikube_py.controllers.other_groups import OtherGroup, deletable_rows, discovery_failure, other_groups


def an_api_service(group, status=None, *, local=False):
    spec = {"group": group, "version": "v1"} | ({} if local else {"service": {"name": "s", "namespace": "n"}})
    conditions = [{"type": "Available", "status": status}] if status else []
    return {"spec": spec, "status": {"conditions": conditions}}


def test_only_other_servers_count_and_silence_is_not_available():
    services = [an_api_service("b", "True"), an_api_service("a"), an_api_service("c", "True", local=True)]

    assert other_groups(services) == (OtherGroup("a", "v1", False), OtherGroup("b", "v1", True))


def test_the_failure_names_each_group_version_as_upstream_does():
    assert discovery_failure((OtherGroup("b", "v1", True),)) == ""
    assert discovery_failure((OtherGroup("a", "v1", False), OtherGroup("c", "v2", False))) == (
        "Discovery failed for some groups, 2 failing: unable to retrieve the complete list of server APIs: "
        "a/v1: stale GroupVersion discovery: a/v1, c/v2: stale GroupVersion discovery: c/v2"
    )


def test_rows_are_what_can_be_listed_and_deleted_in_a_namespace():
    resources = [
        {"name": "notes", "kind": "Note", "namespaced": True, "verbs": ["delete", "list", "get"]},
        {"name": "notes/status", "kind": "Note", "namespaced": True, "verbs": ["delete", "list"]},
        {"name": "roots", "kind": "Root", "namespaced": False, "verbs": ["delete", "list"]},
        {"name": "reviews", "kind": "Review", "namespaced": True, "verbs": ["create"]},
    ]
    (row,) = deletable_rows("x.io", "v1", {"resources": resources})

    assert row.path("ns", "a") == "/apis/x.io/v1/namespaces/ns/notes/a"
