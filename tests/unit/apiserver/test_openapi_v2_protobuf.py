"""The protobuf form says the same as the document: read back with a minimal wire reader."""

import orjson
import pytest

from minikube_py.apiserver import openapi_v2
from minikube_py.apiserver.openapi_v2_protobuf import encode_definitions, encode_head


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data):
    """Return number -> list of contents (bytes, or int for a varint)."""
    found, at = {}, 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            content, at = varint(data, at)
        else:
            assert tag & 7 == 2
            size, at = varint(data, at)
            content, at = data[at : at + size], at + size
        found.setdefault(tag >> 3, []).append(content)
    return found


def named(entries):
    pairs = (fields(entry) for entry in entries)
    return {pair[1][0].decode(): fields(pair[2][0]) for pair in pairs}


@pytest.fixture(scope="module")
def document():
    return orjson.loads(openapi_v2.openapi_v2_json())


@pytest.fixture(scope="module")
def encoded():
    """Return the document's fields with the parts of each one joined, as a protobuf reader merges them."""
    return {number: b"".join(parts) for number, parts in fields(openapi_v2.openapi_v2_protobuf()).items()}


def test_every_definition_and_property_is_there(document, encoded):
    definitions = named(fields(encoded[9])[1])

    assert set(definitions) == set(document["definitions"])
    for name, definition in document["definitions"].items():
        properties = named(fields(definitions[name][25][0])[1]) if 25 in definitions[name] else {}
        assert set(properties) == set(definition.get("properties", {})), name
        assert [text.decode() for text in definitions[name].get(19, [])] == definition.get("required", [])


def test_types_references_and_extensions_survive(encoded):
    definitions = named(fields(encoded[9])[1])
    spec = named(fields(definitions["io.k8s.api.core.v1.PodSpec"][25][0])[1])
    extensions = {name: value[2][0] for name, value in named(spec["containers"][31]).items()}

    assert fields(spec["containers"][22][0])[1] == [b"array"]
    assert fields(fields(spec["containers"][23][0])[1][0])[1] == [b"#/definitions/io.k8s.api.core.v1.Container"]
    assert extensions["x-kubernetes-patch-merge-key"] == b'"name"'
    assert fields(fields(spec["nodeSelector"][21][0])[1][0])[22]


def test_the_patch_operation_tells_kind_media_types_and_parameters(encoded):
    paths = named(fields(encoded[8])[2])
    patch = fields(paths["/api/v1/namespaces/{namespace}/pods/{name}"][8][0])
    gvk = named(patch[13])["x-kubernetes-group-version-kind"][2][0]
    inner = [fields(fields(parameter)[1][0]) for parameter in patch[8]]
    queries = {fields(fields(item[2][0])[3][0])[4][0].decode() for item in inner if 2 in item}

    assert orjson.loads(gvk) == {"group": "", "version": "v1", "kind": "Pod"}
    assert b"application/strategic-merge-patch+json" in patch[7]
    assert {"dryRun", "fieldValidation", "fieldManager", "force"} == queries
    assert sum(1 in item for item in inner) == 1


def test_lengths_over_127_take_more_bytes():
    assert fields(fields(encode_head("t" * 300, "v"))[2][0])[1] == [b"t" * 300]


def test_parts_of_a_document_are_put_one_after_another():
    parts = [encode_definitions({name: {"type": "string"}}) for name in ("a", "b")]

    assert set(named(fields(b"".join(fields(b"".join(parts))[9]))[1])) == {"a", "b"}
