import pytest

from minikube_py.api.meta import (
    ObjectKey,
    controller_of,
    copy_object,
    format_micro_time,
    format_time,
    is_deleting,
    key_of,
    parse_time,
    resource_version_of,
)

POD = {
    "metadata": {
        "name": "a",
        "namespace": "n",
        "resourceVersion": "7",
        "ownerReferences": [{"name": "x"}, {"name": "rs", "controller": True}],
    }
}


def test_a_key_reads_as_kubectl_prints_it():
    assert str(key_of(POD)) == "n/a"
    assert str(ObjectKey("", "node1")) == "node1"


def test_metadata_may_be_missing():
    assert key_of({}) == ObjectKey("", "")
    assert resource_version_of({}) == 0
    assert not is_deleting({})
    assert controller_of({}) is None


def test_only_the_controller_reference_is_the_controller():
    assert controller_of(POD) == {"name": "rs", "controller": True}


def test_a_copy_shares_nothing():
    copy = copy_object(POD)
    copy["metadata"]["name"] = "b"

    assert POD["metadata"]["name"] == "a"


def test_times_are_printed_and_read_as_rfc3339():
    assert format_time(0.9) == "1970-01-01T00:00:00Z"
    assert format_micro_time(1.5) == "1970-01-01T00:00:01.500000Z"
    assert parse_time("1970-01-01T01:00:00+01:00") == 0
    with pytest.raises(ValueError, match="isoformat"):
        parse_time("yesterday")
