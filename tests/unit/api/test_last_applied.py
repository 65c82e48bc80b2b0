"""kubectl's annotation of client-side apply, on the way to server-side apply."""

import json

import pytest

from minikube_py.api.errors import ConflictError
from minikube_py.api.field_owners import Writer, track_update
from minikube_py.api.last_applied import ANNOTATIONS_BYTES_MAX, LAST_APPLIED, last_applied_fields, sync_last_applied
from minikube_py.api.schema import schema_of
from minikube_py.api.server_side_apply import apply

CONFIG_MAP = schema_of("v1", "ConfigMap")


def a_config_map(annotation=None, **data):
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}
    if annotation is not None:
        obj["metadata"]["annotations"] = {LAST_APPLIED: annotation}
    return obj


def applied_client_side(**data):
    live = a_config_map(json.dumps(a_config_map(**data)), **data)
    live["metadata"]["managedFields"] = track_update(
        None, live, CONFIG_MAP, Writer("kubectl-client-side-apply", "v1", 0.0)
    )
    return live


def test_fields_that_still_hold_what_the_annotation_says_are_kubectls():
    live = a_config_map(json.dumps(a_config_map(a="1", b="1")), a="1", b="2")

    assert ("f:data", "f:a") in last_applied_fields(live, CONFIG_MAP)
    assert ("f:data", "f:b") not in last_applied_fields(live, CONFIG_MAP)


@pytest.mark.parametrize("annotation", [None, "", "{", "[]"], ids=str)
def test_without_a_readable_annotation_nothing_is(annotation):
    assert last_applied_fields(a_config_map(annotation, a="1"), CONFIG_MAP) == frozenset()


def test_kubectl_takes_over_from_its_client_side_apply_without_conflict():
    live, wanted = applied_client_side(a="1"), a_config_map(a="2")

    taken = apply(live, wanted, CONFIG_MAP, Writer("kubectl", "v1", 0.0), force=False)

    assert taken["data"] == {"a": "2"}
    assert json.loads(taken["metadata"]["annotations"][LAST_APPLIED]) == wanted
    with pytest.raises(ConflictError, match="kubectl-client-side-apply"):
        apply(live, wanted, CONFIG_MAP, Writer("other", "v1", 0.0), force=False)


def test_what_somebody_changed_since_is_a_conflict_for_kubectl_too():
    live = applied_client_side(a="1")
    live["data"]["a"] = "7"

    with pytest.raises(ConflictError):
        apply(live, a_config_map(a="2"), CONFIG_MAP, Writer("kubectl", "v1", 0.0), force=False)


def test_the_annotation_is_not_invented_and_not_made_too_long():
    fresh, grown = a_config_map(a="1"), a_config_map("{}", a="1")

    sync_last_applied(fresh, a_config_map(a="2"), a_config_map(a="1"))
    sync_last_applied(grown, a_config_map(a="x" * ANNOTATIONS_BYTES_MAX), a_config_map("{}"))

    assert "annotations" not in fresh["metadata"]
    assert LAST_APPLIED not in grown["metadata"]["annotations"]
