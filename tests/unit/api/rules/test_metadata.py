import pytest

from minikube_py.api.names import dns_label_faults
from minikube_py.api.rules.metadata import (
    ANNOTATIONS_BYTES_MAX,
    validate_annotations,
    validate_finalizer,
    validate_labels,
    validate_metadata,
    validate_metadata_update,
)

OWNER = {"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "u"}


def found(**meta):
    return [(f.field, f.reason) for f in validate_metadata({"metadata": meta})]


def test_sound_metadata_has_no_faults():
    assert (
        found(
            name="a.b",
            namespace="n",
            generateName="web-",
            labels={"example.com/a": "b", "c": ""},
            annotations={"Example.com/A": "anything at all"},
            ownerReferences=[OWNER, {**OWNER, "uid": "v", "controller": True}],
            finalizers=["kubernetes", "example.com/f"],
        )
        == []
    )


@pytest.mark.parametrize(
    ("meta", "field"),
    [
        ({"name": "A"}, "metadata.name"),
        ({"generateName": "A_"}, "metadata.generateName"),
        ({"namespace": "a.b"}, "metadata.namespace"),
        ({"labels": {"-x": "a"}}, "metadata.labels"),
        ({"labels": {"x": "a b"}}, "metadata.labels"),
        ({"annotations": {"a b": "x"}}, "metadata.annotations"),
        ({"ownerReferences": [{**OWNER, "apiVersion": ""}]}, "metadata.ownerReferences.apiVersion"),
        ({"ownerReferences": [{**OWNER, "kind": ""}]}, "metadata.ownerReferences.kind"),
        ({"ownerReferences": [{**OWNER, "kind": "Event"}]}, "metadata.ownerReferences"),
        ({"ownerReferences": [{**OWNER, "controller": True}] * 2}, "metadata.ownerReferences"),
        ({"finalizers": ["nope"]}, "metadata.finalizers[0]"),
        ({"finalizers": ["orphan", "foregroundDeletion"]}, "metadata.finalizers"),
    ],
    ids=str,
)
def test_each_fault_names_its_field(meta, field):
    assert found(**{"name": "a", **meta}) == [(field, "FieldValueInvalid")]


def test_annotations_have_a_size():
    (fault,) = validate_annotations({"a": "x" * ANNOTATIONS_BYTES_MAX}, "metadata.annotations")

    assert fault.reason == "FieldValueTooLong"


def test_the_form_of_the_name_is_the_kinds():
    assert len(list(validate_metadata({"metadata": {"name": "a.b"}}, dns_label_faults))) == 1


def test_what_the_server_set_stays():
    old = {"metadata": {"name": "a", "uid": "1", "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    new = {"metadata": {"name": "a", "uid": "2"}}

    assert [f.field for f in validate_metadata_update(new, old)] == ["metadata.uid", "metadata.deletionTimestamp"]


def test_a_finalizer_is_never_empty():
    assert [f.reason for f in validate_finalizer("", "f")] == ["FieldValueRequired"]


def test_label_faults_come_in_the_keys_order():
    assert [f.value for f in validate_labels({"z ": "", "a ": ""}, "l")] == ["a ", "z "]
