import pytest

from minikube_py.api.custom.rows import rows_of
from minikube_py.api.meta import copy_object
from minikube_py.api.resources import CONFIGMAPS, DEPLOYMENTS, NODES, PODS
from minikube_py.apiserver.decisions import NO_CHANGE, Reject, Remove, Write, WriteContext
from minikube_py.apiserver.options import WriteOptions
from minikube_py.apiserver.verbs import create, fill_name, update, update_status
from minikube_py.testing.custom_objects import a_served_definition, a_version, a_widget

NOW_S = 1767225600.0
CONTEXT = WriteContext("default", "x", NOW_S, "uid-1", WriteOptions(field_manager="test"))
STATUS_CONTEXT = WriteContext("default", "x", NOW_S, "", WriteOptions(field_manager="test"), "status")


def a_config_map(**metadata):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", **metadata}, "data": {"a": "b"}}


def a_deployment(replicas=1):
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "busybox"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "x"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"a": "b"}}, "template": template},
    }


def stored(resource, obj, context=CONTEXT, **metadata):
    decision = create(resource, obj, context)
    assert isinstance(decision, Write), decision
    decision.obj["metadata"] |= {"resourceVersion": "5", **metadata}
    return decision.obj


def refusal(decision):
    assert isinstance(decision, Reject), decision
    return type(decision.error).code, decision.error.message


def test_creation_sets_what_only_the_server_sets():
    obj = a_config_map(uid="mine", creationTimestamp="2001-01-01T00:00:00Z", generation=7, selfLink="/x")
    decision = create(CONFIGMAPS, obj, CONTEXT)

    assert isinstance(decision, Write)
    meta = decision.obj["metadata"]
    assert meta.pop("managedFields")[0]["manager"] == "test"
    assert meta == {
        "name": "x",
        "namespace": "default",
        "uid": "uid-1",
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }


def test_generation_starts_at_one_and_grows_with_the_spec_only():
    old = stored(DEPLOYMENTS, a_deployment())
    relabelled = copy_object(old)
    relabelled["metadata"]["labels"] = {"x": "y"}
    scaled = copy_object(old)
    scaled["spec"]["replicas"] = 2

    assert old["metadata"]["generation"] == 1
    assert update(DEPLOYMENTS, old, relabelled, CONTEXT).obj["metadata"]["generation"] == 1
    assert update(DEPLOYMENTS, old, scaled, CONTEXT).obj["metadata"]["generation"] == 2


def test_a_cluster_scoped_object_has_no_namespace():
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "x", "namespace": "oops"}}
    context = WriteContext("", "x", NOW_S, "uid-1", WriteOptions())
    assert "namespace" not in create(NODES, node, context).obj["metadata"]


@pytest.mark.parametrize(
    ("metadata", "refused"),
    [
        (
            {"namespace": "other"},
            (400, "the namespace of the provided object does not match the namespace sent on the request"),
        ),
        ({"resourceVersion": "3"}, (500, "resourceVersion should not be set on objects to be created")),
        (
            {"name": ""},
            (422, 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required'),
        ),
    ],
)
def test_creation_refuses_what_upstream_refuses(metadata, refused):
    assert refusal(create(CONFIGMAPS, a_config_map(**metadata), CONTEXT)) == refused


def test_a_generated_name_fits_into_63_characters():
    obj = {"metadata": {"generateName": "a" * 70}}
    fill_name(obj, "bcdfg")
    assert obj["metadata"]["name"] == "a" * 58 + "bcdfg"


def test_a_name_that_is_given_is_kept():
    obj = {"metadata": {"generateName": "a-", "name": "x"}}
    fill_name(obj, "bcdfg")
    assert obj["metadata"]["name"] == "x"


def test_a_write_of_what_is_there_already_is_no_write():
    old = stored(DEPLOYMENTS, a_deployment())
    later = WriteContext("default", "x", NOW_S + 60, "", WriteOptions(field_manager="test"))
    assert update(DEPLOYMENTS, old, copy_object(old), later) == NO_CHANGE
    assert update(DEPLOYMENTS, old, a_deployment(), later) == NO_CHANGE


@pytest.mark.parametrize(
    ("metadata", "refused"),
    [
        ({"name": "y"}, (400, "the name of the object (y) does not match the name on the URL (x)")),
        (
            {"name": ""},
            (400, "the name of the object (x based on URL) was undeterminable: name must be provided"),
        ),
        (
            {"namespace": "z"},
            (400, "the namespace of the object (z) does not match the namespace on the request (default)"),
        ),
        (
            {"uid": "other"},
            (
                409,
                'Operation cannot be fulfilled on configmaps "x": Precondition failed: UID in precondition: other, '
                "UID in object meta: uid-1",
            ),
        ),
        (
            {"resourceVersion": "4"},
            (
                409,
                'Operation cannot be fulfilled on configmaps "x": the object has been modified; please apply your '
                "changes to the latest version and try again",
            ),
        ),
        (
            {"resourceVersion": "abc"},
            (500, 'strconv.ParseUint: parsing "abc": invalid syntax'),
        ),
    ],
)
def test_an_update_must_mean_the_stored_object(metadata, refused):
    old = stored(CONFIGMAPS, a_config_map())
    assert refusal(update(CONFIGMAPS, old, a_config_map(**metadata), CONTEXT)) == refused


def test_an_update_without_a_version_is_unconditional():
    old = stored(CONFIGMAPS, a_config_map())
    decision = update(CONFIGMAPS, old, {**a_config_map(), "data": {"a": "c"}}, CONTEXT)
    assert decision.obj["data"] == {"a": "c"}
    assert decision.obj["metadata"]["uid"] == "uid-1"


def test_the_main_resource_does_not_change_the_status_nor_status_the_spec():
    old = {**stored(DEPLOYMENTS, a_deployment()), "status": {"replicas": 1}}
    both = copy_object(old)
    both["spec"]["replicas"], both["status"] = 9, {"replicas": 9}

    main = update(DEPLOYMENTS, old, copy_object(both), CONTEXT).obj
    both["metadata"]["ownerReferences"] = [{"uid": "1"}]
    status = update_status(DEPLOYMENTS, old, both, STATUS_CONTEXT).obj
    assert (main["spec"]["replicas"], main["status"]) == (9, {"replicas": 1})
    assert (status["spec"]["replicas"], status["status"]) == (1, {"replicas": 9})
    assert status["metadata"]["generation"] == 1
    assert "ownerReferences" not in status["metadata"]


def test_no_finalizer_is_added_to_an_object_that_is_being_deleted():
    old = stored(
        CONFIGMAPS,
        a_config_map(finalizers=["ex.io/a"]),
        deletionTimestamp="2026-01-01T00:00:00Z",
        deletionGracePeriodSeconds=0,
    )
    new = a_config_map(finalizers=["ex.io/a", "ex.io/b"])
    code, message = refusal(update(CONFIGMAPS, old, new, CONTEXT))
    assert code == 422
    assert message.endswith(
        "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, "
        'found new finalizers []string{"ex.io/b"}'
    )


def test_an_object_goes_with_its_last_finalizer():
    old = stored(
        CONFIGMAPS,
        a_config_map(finalizers=["ex.io/a"]),
        deletionTimestamp="2026-01-01T00:00:00Z",
        deletionGracePeriodSeconds=0,
    )
    assert isinstance(update(CONFIGMAPS, old, a_config_map(), CONTEXT), Remove)


def test_a_pod_in_its_grace_period_does_not_go_with_its_last_finalizer():
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x", "finalizers": ["ex.io/a"]},
        "spec": {"containers": [{"name": "c", "image": "busybox"}]},
    }
    old = stored(PODS, pod, deletionTimestamp="2026-01-01T00:00:30Z", deletionGracePeriodSeconds=30)
    new = copy_object(old)
    del new["metadata"]["finalizers"]
    assert isinstance(update(PODS, old, new, CONTEXT), Write)


def test_true_in_place_of_one_is_a_change():
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    (row,) = rows_of(a_served_definition(versions=(a_version(schema=anything),)))
    old = stored(row, {**a_widget("x", size=1), "metadata": {"name": "x"}})
    new = {**copy_object(old), "spec": {"size": True}}
    decision = update(row, old, new, CONTEXT)
    assert isinstance(decision, Write)
    assert decision.obj["spec"]["size"] is True
    assert decision.obj["metadata"]["generation"] == 2
