import base64
import json
import struct
from pathlib import Path

import pytest

from minikube_py.api.decode import Expected, decode_parsed
from minikube_py.api.errors import TooLargeError
from minikube_py.api.protobuf import MAGIC, ProtobufError, decode_envelope
from minikube_py.api.value_count import VALUES_MAX

BODIES = json.loads(Path("tests/fixtures/protobuf/kubectl-bodies.json").read_text())


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value & (2**64 - 1))


def part(field: int, *values: bytes | str) -> bytes:
    data = b"".join(v.encode() if isinstance(v, str) else v for v in values)
    return varint(field << 3 | 2) + varint(len(data)) + data


def envelope(api_version: str, kind: str, *fields: bytes) -> bytes:
    return MAGIC + part(1, part(1, api_version), part(2, kind)) + part(2, *fields)


def decoded(api_version: str, kind: str, *fields: bytes) -> dict:
    obj = decode_envelope(envelope(api_version, kind, *fields), "", "")
    assert (obj.pop("apiVersion"), obj.pop("kind")) == (api_version, kind)
    return obj


def what_is_meant(obj: dict) -> dict:
    """Return the object as the server keeps it; clients send no status, but Go writes one anyway."""
    kept = decode_parsed(obj, Expected(obj["apiVersion"], obj["kind"]), "Strict").obj
    return {key: value for key, value in kept.items() if key != "status"}


@pytest.mark.parametrize("body", BODIES, ids=lambda b: b["command"])
def test_kubectls_protobuf_means_what_an_older_kubectls_json_means(body):
    obj = decode_envelope(base64.b64decode(body["protobuf"]), "", "")

    assert what_is_meant(obj) == what_is_meant(body["json"])


def test_a_zero_behind_a_pointer_is_kept_and_a_plain_zero_is_dropped():
    spec = decoded("apps/v1", "Deployment", part(2, number(1, 0), number(5, 0)))["spec"]

    assert spec == {"replicas": 0}


def test_an_empty_string_behind_a_pointer_is_kept():
    spec = decoded("v1", "PersistentVolumeClaim", part(2, part(5, ""), part(3, "")))["spec"]

    assert spec == {"storageClassName": ""}


def test_inlined_structs_are_lifted_into_their_parent():
    volume = part(1, part(1, "v"), part(2, part(6, part(1, "s"))))
    probe = part(10, part(1, part(1, part(1, "true"))), number(2, 3))
    spec = decoded("v1", "Pod", part(2, volume, part(2, part(1, "c"), probe)))["spec"]

    assert spec["volumes"] == [{"name": "v", "secret": {"secretName": "s"}}]
    assert spec["containers"][0]["livenessProbe"] == {"exec": {"command": ["true"]}, "initialDelaySeconds": 3}


def test_special_types_get_their_json_form():
    owner = part(13, part(1, "ReplicaSet"), part(3, "r"), part(4, "u-1"), part(5, "apps/v1"), number(6, 1))
    created = part(8, number(1, 86400), number(2, 5))
    meta = decoded("v1", "Pod", part(1, created, owner))["metadata"]
    limits = part(8, part(1, part(1, "cpu"), part(2, part(1, "500m"))))
    container = decoded("v1", "Pod", part(2, part(2, limits)))["spec"]["containers"][0]

    assert meta["creationTimestamp"] == "1970-01-02T00:00:00Z"
    assert meta["ownerReferences"] == [
        {"kind": "ReplicaSet", "name": "r", "uid": "u-1", "apiVersion": "apps/v1", "controller": True}
    ]
    assert container["resources"] == {"limits": {"cpu": "500m"}}


def test_a_time_that_is_not_set_is_left_out():
    assert decoded("v1", "Pod", part(1, part(1, "p"), part(8)))["metadata"] == {"name": "p"}


def test_numbers_and_percentages_come_through_int_or_string():
    rolling = part(2, part(1, number(1, 1), part(3, "25%")), part(2, number(1, 0), number(2, 2)))
    strategy = decoded("apps/v1", "Deployment", part(2, part(4, rolling)))["spec"]["strategy"]

    assert strategy == {"rollingUpdate": {"maxUnavailable": "25%", "maxSurge": 2}}


def test_a_port_of_zero_is_there_as_it_is_in_gos_json():
    ports = decoded("v1", "Service", part(2, part(1, number(3, 80), part(4, number(1, 0), number(2, 0)))))["spec"][
        "ports"
    ]

    assert ports == [{"port": 80, "targetPort": 0}]


def test_an_api_service_is_known():
    spec = part(2, part(1, part(1, "ns"), part(2, "s")), part(2, "g"), number(4, 0), number(7, 100), number(8, 0))
    service = decoded("apiregistration.k8s.io/v1", "APIService", spec)

    assert service["spec"] == {
        "service": {"namespace": "ns", "name": "s"},
        "group": "g",
        "groupPriorityMinimum": 100,
        "versionPriority": 0,
    }


def test_negative_numbers_are_signed():
    assert decoded("v1", "Pod", part(2, number(25, -5)))["spec"] == {"priority": -5}


def test_bytes_become_base64_even_when_they_are_empty():
    data = decoded("v1", "Secret", part(2, part(1, "a"), part(2, b"\xff\x00")), part(2, part(1, "b")))["data"]

    assert data == {"a": "/wA=", "b": ""}


def test_crd_schemas_keep_their_odd_names_and_unions():
    prefix = "apiextensions.k8s.io/v1"
    props = part(5, "object") + number(38, 1) + part(30, number(1, 1)) + part(24, part(1, part(5, "string")))
    props += part(8, part(1, '{"a":1}')) + varint(9 << 3 | 1) + struct.pack("<d", 1.5)
    version = part(7, part(1, "v1"), number(2, 1), part(4, part(1, props)))
    spec = decoded(prefix, "CustomResourceDefinition", part(2, version))["spec"]

    assert spec["versions"][0]["schema"]["openAPIV3Schema"] == {
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
        "additionalProperties": True,
        "items": {"type": "string"},
        "default": {"a": 1},
        "maximum": 1.5,
    }


def test_delete_options_and_evictions_are_known():
    options = decoded("v1", "DeleteOptions", number(1, 0), part(2, part(1, "u")), part(4, "Background"))

    assert options == {"gracePeriodSeconds": 0, "preconditions": {"uid": "u"}, "propagationPolicy": "Background"}
    assert decoded("policy/v1", "Eviction", part(1, part(1, "p"))) == {"metadata": {"name": "p"}}
    assert decoded("autoscaling/v1", "Scale", part(2, number(1, 3))) == {"spec": {"replicas": 3}}


def test_a_varint_longer_than_64_bits_is_cut_as_protobuf_says():
    version = part(7, part(4, part(1, b"\x48" + b"\xff" * 9 + b"\x7f")))
    spec = decoded("apiextensions.k8s.io/v1", "CustomResourceDefinition", part(2, version))["spec"]

    assert isinstance(spec["versions"][0]["schema"]["openAPIV3Schema"]["maximum"], float)


def test_unknown_field_numbers_are_skipped():
    assert decoded("v1", "ConfigMap", part(999, "x"), varint(998 << 3 | 5) + b"1234") == {}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"garbage",
        MAGIC + b"\xff",
        MAGIC + b"\x0a\x7f",
        envelope("v1", "Nonsense"),
        envelope("v1", "Pod", b"\x0a\x7f"),
        envelope("v1", "Pod", number(1, 5)),
        envelope("v1", "Pod", part(1, part(1, b"\xff\xff"))),
        envelope("v1", "Pod", part(1, part(8, number(1, 2**62)))),
        envelope("v1", "Pod", b"\x0b"),
        MAGIC + part(1, part(1, "v1"), part(2, "Pod")) + part(4, "application/json") + part(2, "{}"),
    ],
    ids=lambda b: b[:40].hex() or "empty",
)
def test_damaged_bytes_are_refused_and_raise_nothing_else(body):
    with pytest.raises(ProtobufError):
        decode_envelope(body, "v1", "Thing")


def test_endless_nesting_is_refused():
    props = b""
    for _ in range(300):
        props = part(28, props)
    version = part(7, part(4, part(1, props)))

    with pytest.raises(ProtobufError, match="depth"):
        decode_envelope(envelope("apiextensions.k8s.io/v1", "CustomResourceDefinition", part(2, version)), "", "")


def test_more_values_than_an_object_may_have_are_refused():
    groups = part(4, b"\1" * (VALUES_MAX + 1))

    with pytest.raises(ProtobufError, match=f"more than {VALUES_MAX} values"):
        decode_envelope(envelope("v1", "Pod", part(2, part(14, groups))), "", "")


def test_more_values_than_an_object_may_have_are_refused_in_json_inside_of_protobuf_too():
    fields = b"[" + b"{}," * VALUES_MAX + b"{}]"

    with pytest.raises(TooLargeError):
        decode_envelope(envelope("v1", "Pod", part(1, part(17, part(7, part(1, fields))))), "", "")


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_body_cut_short_is_refused_or_loses_whole_fields(cut):
    body = base64.b64decode(BODIES[0]["protobuf"])[:-cut]

    try:
        obj = decode_envelope(body, "v1", "ConfigMap")
    except ProtobufError:
        return
    assert obj["kind"] == "ConfigMap"
