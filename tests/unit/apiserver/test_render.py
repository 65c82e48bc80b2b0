import orjson
import pytest

from minikube_py.api.errors import BadRequestError, MethodNotSupportedError, UnnamedError, not_found
from minikube_py.api.resources import CONFIGMAPS, DEPLOYMENTS
from minikube_py.apiserver.negotiate import AnswerForm
from minikube_py.apiserver.render import (
    PART_BYTES,
    ListMeta,
    TextBody,
    deleted_status,
    list_body,
    list_frame,
    list_items,
    list_object,
    status_body,
    success_status,
    transform_list,
    transform_object,
)

NOW_S = 1767225600.0
TABLE = AnswerForm("json", "Table", "v1beta1")
OBJECTS = [
    {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "n", "resourceVersion": version, "uid": f"u-{name}"},
        "data": {"a": "b"},
    }
    for name, version in (("x", "3"), ("y", "5"))
]


def test_a_text_in_pieces_is_as_long_as_in_one():
    body = TextBody((b"ab", b"", b"c"))
    assert (body.whole(), b"".join(body.parts()), body.size_bytes) == (b"abc", b"abc", 3)


@pytest.mark.parametrize("count", [0, 1, 2, 700])
def test_a_long_list_in_parts_is_the_list_in_one_piece(count):
    values = [b'"' + b"x" * 2000 + b'"'] * count
    body = list_body(CONFIGMAPS, values, ListMeta(7))
    parts = list(body.parts())

    assert b"".join(parts) == body.whole() == (parts[0] + b",".join(values) + b"]}")
    assert body.size_bytes == len(body.whole())
    assert max(map(len, parts)) < 2 * PART_BYTES
    assert (len(parts) > 3) == (count == 700)


@pytest.mark.parametrize("form", [TABLE, AnswerForm("json", "PartialObjectMetadata"), AnswerForm("json")])
def test_a_list_made_a_slice_at_a_time_is_the_whole_list(form):
    meta = ListMeta(7, "token", 3)
    head, tail = list_frame(CONFIGMAPS, meta, form, NOW_S)
    slices = [list_items(CONFIGMAPS, OBJECTS[:1], form, NOW_S), list_items(CONFIGMAPS, OBJECTS[1:], form, NOW_S)]

    whole = transform_list(CONFIGMAPS, OBJECTS, meta, form, NOW_S)
    assert orjson.loads(head + b",".join(slices) + tail) == whole


@pytest.mark.parametrize("objects", [[], OBJECTS[:1], OBJECTS], ids=["none", "one", "two"])
def test_a_joined_list_is_the_list_of_its_objects(objects):
    meta = ListMeta(7, "token", 4)
    joined = list_body(CONFIGMAPS, [orjson.dumps(obj) for obj in objects], meta).whole()
    assert orjson.loads(joined) == list_object(CONFIGMAPS, objects, meta)


def test_a_list_says_how_it_goes_on():
    assert ListMeta(7).obj() == {"resourceVersion": "7"}
    assert ListMeta(7, "t", 4).obj() == {"resourceVersion": "7", "continue": "t", "remainingItemCount": 4}
    assert ListMeta(7, "t").obj() == {"resourceVersion": "7", "continue": "t"}


def test_a_table_carries_the_metadata_of_the_list_and_of_each_row():
    table = transform_list(CONFIGMAPS, OBJECTS, ListMeta(7), TABLE, NOW_S)
    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1beta1")
    assert table["metadata"] == {"resourceVersion": "7"}
    assert [row["cells"][0] for row in table["rows"]] == ["x", "y"]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


def test_later_tables_of_a_watch_do_not_repeat_the_columns():
    first = transform_object(CONFIGMAPS, OBJECTS[0], TABLE, NOW_S)
    later = transform_object(CONFIGMAPS, OBJECTS[0], TABLE, NOW_S, headers=False)
    assert first["columnDefinitions"]
    assert later["columnDefinitions"] is None
    assert later["rows"] == first["rows"]
    assert later["metadata"] == {"resourceVersion": "3"}


def test_partial_metadata_is_metadata_alone():
    form = AnswerForm("json", "PartialObjectMetadata", "v1")
    whole = transform_list(CONFIGMAPS, OBJECTS, ListMeta(7), form, NOW_S)
    assert whole["kind"] == "PartialObjectMetadataList"
    assert whole["items"][1] == {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": OBJECTS[1]["metadata"],
    }
    assert transform_object(CONFIGMAPS, OBJECTS[1], form, NOW_S) == whole["items"][1]


def test_what_is_not_the_resource_is_not_transformed():
    status = success_status(201)
    assert transform_object(CONFIGMAPS, status, TABLE, NOW_S) is status


def test_a_deletion_names_what_is_gone():
    obj = {"metadata": {"name": "d", "uid": "u"}}
    assert deleted_status(DEPLOYMENTS, obj)["details"] == {
        "name": "d",
        "group": "apps",
        "kind": "deployments",
        "uid": "u",
    }


def test_errors_read_as_upstreams():
    missing = orjson.loads(status_body(not_found("apps", "deployments", "x")))
    assert missing["details"] == {"name": "x", "group": "apps", "kind": "deployments"}
    assert orjson.loads(status_body(MethodNotSupportedError("no")))["details"] == {}
    assert "details" not in orjson.loads(status_body(BadRequestError("no")))
    assert "reason" not in orjson.loads(status_body(UnnamedError("no")))
