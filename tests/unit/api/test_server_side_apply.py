"""Server-side apply and the record of owners, against 49 requests that upstream 1.20 answered.

The observed requests are replayed on objects kept here, with the real defaults and patches. What upstream does
differently since 1.20 is named in the tables and functions below.
"""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minikube_py.api.errors import BadRequestError, ConflictError, InternalError, StatusError, to_status
from minikube_py.api.field_owners import Writer, reset_fields, track_update
from minikube_py.api.field_paths import decode_fields
from minikube_py.api.managed_fields import NEVER_OWNED
from minikube_py.api.meta import copy_object, format_time
from minikube_py.api.patch import apply_json_patch, apply_merge_patch
from minikube_py.api.resources import find_resource
from minikube_py.api.schema import schema_of
from minikube_py.api.server_side_apply import apply
from minikube_py.api.strategic_merge import apply_strategic_merge
from minikube_py.api.typed_merge import merge, with_named_fields
from minikube_py.api.typed_walk import child_schema, compare, field_set, item_schema, shape_of

FIXTURE = Path(__file__).parents[2] / "fixtures" / "server_side_apply" / "observed-1.20.json"
OBSERVED = json.loads(FIXTURE.read_text())
NOW = 1_000_000_000.0
CONFIG_MAP = schema_of("v1", "ConfigMap")

NOT_SERVED = "custom-resource"
DIFFERENT = {
    ("service", 0): "since 1.21 the key field protocol has a default: the apply succeeds",
    ("deployment-create-vs-apply", 2): "1.20 did not track /scale",
    ("client-side-to-server-side", 2): "1.20 gave the field back to kubectl-client-side-apply on a no-op",
}
ZERO_TIMES = ("f:lastProbeTime", "f:lastTransitionTime", "f:lastUpdateTime", "f:lastHeartbeatTime")
"""1.20 wrote (and owned) these as null when they were not set."""

SINCE_1_21 = "kubernetes.io/metadata.name"
"""Every namespace has this label now."""

OTHERS = {
    ("deployment-create-vs-apply", 3): (
        "status",
        {
            "metadata": {"annotations": {"deployment.kubernetes.io/revision": "1"}},
            "status": {"observedGeneration": 2, "conditions": [{"type": "Available", "status": "False"}]},
        },
    ),
    ("pod-status-and-apply", 1): (
        "status",
        {"status": {"conditions": [{"type": "PodScheduled", "status": "False", "message": "m", "reason": "r"}]}},
    ),
    ("endpoints-and-node-and-namespace", 3): (
        "",
        {
            "metadata": {"annotations": {"node.alpha.kubernetes.io/ttl": "0"}},
            "spec": {"podCIDRs": ["10.245.2.0/24"], "taints": [{"key": "other", "effect": "NoSchedule"}]},
        },
    ),
}
"""(sequence, step) -> what a component of the observed cluster wrote just before: subresource and merge patch."""


class Cluster:
    """Objects by path, written to as the API server would."""

    def __init__(self):
        self.objects = {}

    def send(self, request):
        url = urlsplit(request["path"])
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        parts = url.path.strip("/").split("/")
        group = parts[1] if parts[0] == "apis" else ""
        rest = parts[3:] if group else parts[2:]
        rest = rest[2:] if rest[0] == "namespaces" and len(rest) > 2 else rest
        resource = find_resource(group, "v1", rest[0])
        name = rest[1] if len(rest) > 1 else request["body"]["metadata"]["name"]
        manager = query.get("fieldManager") or request["userAgent"].split("/")[0]
        subresource = rest[2] if len(rest) > 2 else ""
        self.write(resource, name, request, manager, subresource, query.get("force") == "true")
        return self.objects.get((resource.plural, name))

    def write(self, resource, name, request, manager, subresource, force):
        key = (resource.plural, name)
        live, body = self.objects.get(key), request.get("body")
        definition = schema_of(resource.api_version, resource.kind)
        has_status = resource.subresource("status") is not None
        ignored = reset_fields(subresource, has_status=has_status)
        writer = Writer(manager, resource.api_version, NOW, subresource, ignored)
        if request["method"] == "DELETE":
            del self.objects[key]
            return
        if request.get("contentType") == "application/apply-patch+yaml":
            new = apply(live, body, definition, writer, force=force)
            resource.rules.set_defaults(new)
        else:
            new = self.changed(live, request, definition, subresource)
            if not subresource and has_status and live is not None and "status" in live:
                new["status"] = live["status"]
            resource.rules.set_defaults(new)
            if subresource != "scale":
                new["metadata"]["managedFields"] = track_update(live, new, definition, writer)
        new["metadata"]["uid"] = "u"
        if live is None:
            resource.rules.prepare_create(new)
        self.objects[key] = new

    @staticmethod
    def changed(live, request, definition, subresource):
        body = request["body"]
        match request.get("contentType"):
            case "application/merge-patch+json":
                new = apply_merge_patch(live, body)
            case "application/strategic-merge-patch+json":
                new = apply_strategic_merge(live, body, definition)
            case "application/json-patch+json":
                new = apply_json_patch(live, body)
            case _:
                new = copy_object(body)
        return {**new, "spec": live["spec"]} if subresource == "status" else new


def as_today(fields_v1, definition):
    """Return the observed paths as today's schema has them: what has become atomic is one field."""
    today = set()
    for path in decode_fields(fields_v1):
        schema, end = definition, 0
        while end < len(path) and shape_of(schema, {}) != "leaf":
            schema = child_schema(schema, path[end][2:]) if path[end].startswith("f:") else item_schema(schema)
            end += 1
        if path[-1] not in ZERO_TIMES:
            today.add(path[:end])
    return today


def owners(managed_fields, definition):
    """Return (manager, operation) -> paths, in order, without the observed cluster's own components."""
    known = {}
    for entry in managed_fields:
        paths = as_today(entry["fieldsV1"], definition)
        if entry["operation"] == "Apply":
            paths = {path for path in paths if path[-1] != "f:emptyDir"}
        if entry["manager"] not in ("kube-scheduler", "kube-controller-manager"):
            known[entry["manager"], entry["operation"]] = paths
    return known


STEPS = [
    pytest.param(sequence, index, id=f"{sequence}-{index}")
    for sequence, steps in OBSERVED.items()
    for index in range(len(steps))
    if sequence != NOT_SERVED and (sequence, index) not in DIFFERENT and steps[index]["request"]["method"] != "DELETE"
]


def replay(sequence, last):
    """Send the requests of a sequence up to `last`; returns the object or the error of that one."""
    cluster, answer = Cluster(), None
    for index, step in enumerate(OBSERVED[sequence][: last + 1]):
        subresource, patch = OTHERS.get((sequence, index), ("", None))
        if patch:
            plural, name = next(key for key in reversed(cluster.objects))
            group = "apps" if plural == "deployments" else ""
            request = {"method": "PATCH", "contentType": "application/merge-patch+json", "body": patch}
            cluster.write(find_resource(group, "v1", plural), name, request, "kube-scheduler", subresource, False)
        if (sequence, index) == ("service", 0):
            continue
        try:
            answer = cluster.send(step["request"])
        except StatusError as error:
            answer = error
    return answer


@pytest.mark.parametrize(("sequence", "index"), STEPS)
def test_owners_and_conflicts_are_those_that_upstream_answered(sequence, index):
    expected = OBSERVED[sequence][index]
    answer = replay(sequence, index)

    if isinstance(answer, StatusError):
        status = to_status(answer)
        assert {field: status[field] for field in ("code", "reason", "message", "details")} == {
            field: expected["result"][field] for field in ("code", "reason", "message", "details")
        }
        return
    assert expected["code"] < 300
    result, metadata = expected["result"], answer["metadata"]
    definition = schema_of(answer["apiVersion"], answer["kind"])
    ours, theirs = (
        owners(entries, definition) for entries in (metadata.get("managedFields") or [], result["managedFields"])
    )
    assert ours == theirs
    assert list(ours) == list(theirs)
    assert answer.get("data") == result.get("data")
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != SINCE_1_21}
    assert labels == (result.get("labels") or {})


@pytest.mark.parametrize("index", [2, 3, 4], ids=["two managers", "one gone", "patched"])
def test_ports_have_the_order_that_upstream_gave_them(index):
    answer, expected = replay("service", index), OBSERVED["service"][index]["result"]

    assert [port["name"] for port in answer["spec"]["ports"]] == [port["name"] for port in expected["spec"]["ports"]]


@pytest.mark.parametrize("index", [4, 5], ids=["sidecar", "sidecar dropped"])
def test_containers_of_two_appliers_merge_by_name(index):
    def containers(obj):
        return [
            (c["name"], [e["name"] for e in c.get("env", ())]) for c in obj["spec"]["template"]["spec"]["containers"]
        ]

    answer, expected = replay("deployment-create-vs-apply", index), OBSERVED["deployment-create-vs-apply"][index]

    assert containers(answer) == containers(expected["result"])


def a_writer(manager="m", *, at=NOW, subresource=""):
    return Writer(manager, "v1", at, subresource)


def a_config_map(**data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}


def test_an_empty_map_is_owned_by_its_applier():
    definition = schema_of("v1", "Pod")
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"volumes": [{"name": "v", "emptyDir": {}}]},
    }

    applied = apply(None, pod, definition, a_writer(), force=False)

    assert ("f:spec", "f:volumes", 'k:{"name":"v"}', "f:emptyDir") in decode_fields(
        applied["metadata"]["managedFields"][0]["fieldsV1"]
    )


def test_a_port_without_protocol_is_tcp_for_its_key():
    service = OBSERVED["service"][0]["request"]["body"]

    applied = apply(None, service, schema_of("v1", "Service"), a_writer(), force=False)

    assert ("f:spec", "f:ports", 'k:{"port":80,"protocol":"TCP"}') in decode_fields(
        applied["metadata"]["managedFields"][0]["fieldsV1"]
    )


def test_applying_the_same_again_changes_nothing_not_even_the_time():
    first = apply(None, a_config_map(a="1"), CONFIG_MAP, a_writer(), force=False)

    again = apply(first, a_config_map(a="1"), CONFIG_MAP, a_writer(at=NOW + 60), force=False)

    assert again == first
    assert first["metadata"]["managedFields"][0]["time"] == format_time(NOW)


def test_applying_true_in_place_of_one_is_a_change():
    first = apply(None, {**a_config_map(), "data": {"a": 1}}, None, a_writer(), force=False)
    again = apply(first, {**a_config_map(), "data": {"a": True}}, None, a_writer(), force=False)
    assert again["data"]["a"] is True


def test_a_second_applier_of_equal_values_shares_them():
    first = apply(None, a_config_map(a="1"), CONFIG_MAP, a_writer("one"), force=False)
    both = apply(first, a_config_map(a="1"), CONFIG_MAP, a_writer("two", at=NOW + 60), force=False)
    less = apply(both, a_config_map(), CONFIG_MAP, a_writer("one", at=NOW + 90), force=False)

    assert [(e["manager"], e["time"]) for e in both["metadata"]["managedFields"]] == [
        ("one", format_time(NOW)),
        ("two", format_time(NOW + 60)),
    ]
    assert less["data"] == {"a": "1"}


def test_what_was_there_before_the_first_apply_is_booked_on_a_manager_of_its_own():
    live = a_config_map(a="1") | {"metadata": {"name": "c", "uid": "u"}}

    with pytest.raises(ConflictError, match='conflict with "before-first-apply" using v1: .data.a'):
        apply(live, a_config_map(a="2"), CONFIG_MAP, a_writer(), force=False)
    forced = apply(live, a_config_map(a="2"), CONFIG_MAP, a_writer(), force=True)

    assert [entry["manager"] for entry in forced["metadata"]["managedFields"]] == ["m", "before-first-apply"]


def test_conflicts_with_several_managers_are_listed_by_manager():
    live = apply(None, a_config_map(a="1", b="1"), CONFIG_MAP, a_writer("one"), force=False)
    live["metadata"]["managedFields"] += [
        {
            "manager": "kubelet",
            "operation": "Update",
            "apiVersion": "v1",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {"f:c": {}}},
            "subresource": "status",
        }
    ]
    live["data"]["c"] = "1"

    with pytest.raises(ConflictError) as refused:
        apply(live, a_config_map(a="2", b="2", c="2"), CONFIG_MAP, a_writer("two"), force=False)

    assert refused.value.message == (
        "Apply failed with 3 conflicts: "
        'conflicts with "kubelet" with subresource "status" using v1:\n- .data.c\n'
        'conflicts with "one":\n- .data.a\n- .data.b'
    )
    assert [cause["field"] for cause in refused.value.details["causes"]] == [".data.a", ".data.b", ".data.c"]


@pytest.mark.parametrize(
    ("config", "error", "text"),
    [
        ({"apiVersion": "v2", "kind": "ConfigMap"}, BadRequestError, "Specified patch version: v2, expected: v1"),
        ({"kind": "ConfigMap"}, BadRequestError, "Specified patch version: , expected: v1"),
        (a_config_map() | {"metadata": {"managedFields": []}}, BadRequestError, "metadata.managedFields must be nil"),
        (a_config_map() | {"nope": 1}, InternalError, r"Kind=ConfigMap\): .nope: field not declared in schema"),
        (a_config_map() | {"data": ["a"]}, InternalError, r".data: expected map, got \[\"a\"\]"),
        (a_config_map() | {"immutable": "yes"}, InternalError, "expected boolean"),
    ],
)
def test_a_configuration_that_cannot_be_meant_is_refused(config, error, text):
    with pytest.raises(error, match=text):
        apply(None, config, CONFIG_MAP, a_writer(), force=False)


def test_a_list_with_the_same_key_twice_is_refused():
    ports = [{"port": 80}, {"port": 80, "protocol": "TCP"}]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": ports}}

    with pytest.raises(InternalError, match=r'duplicate entries for key \[port=80,protocol="TCP"\]'):
        apply(None, service, schema_of("v1", "Service"), a_writer(), force=False)


def test_arguments_stay_as_they_were():
    live = apply(None, a_config_map(a="1"), CONFIG_MAP, a_writer("one"), force=False)
    config, before = a_config_map(a="2"), copy_object(live)

    apply(live, config, CONFIG_MAP, a_writer("two"), force=True)["data"]["x"] = "y"

    assert live == before
    assert config == a_config_map(a="2")


NAMES = st.sampled_from("abc")
ENV = st.dictionaries(NAMES, st.sampled_from("12"))


def a_pod_with(labels, containers, finalizers):
    """Return a configuration that leaves out what is empty."""
    shown = []
    for name, env in containers.items():
        variables = [{"name": variable, "value": value} for variable, value in env.items()]
        shown.append({"name": name, "env": variables} if variables else {"name": name})
    metadata = {"labels": labels, "finalizers": finalizers}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", **{key: value for key, value in metadata.items() if value}},
        **({"spec": {"containers": shown}} if shown else {}),
    }


CONFIGS = st.builds(a_pod_with, ENV, st.dictionaries(NAMES, ENV), st.lists(NAMES, unique=True))


@settings(max_examples=15)
@given(st.lists(st.tuples(st.sampled_from(["one", "two", "three"]), CONFIGS), min_size=1, max_size=6))
def test_an_object_is_what_its_appliers_say_and_nothing_more(applies):
    """Whatever is applied in whatever order: each applier's last configuration holds, as far as nobody forced it."""
    definition, live = schema_of("v1", "Pod"), None
    for manager, config in applies:
        live = apply(live, config, definition, a_writer(manager), force=True)
        entries = live["metadata"].get("managedFields", [])
        owned = frozenset().union(*(decode_fields(entry["fieldsV1"]) for entry in entries))
        bare = {**live, "metadata": {key: value for key, value in live["metadata"].items() if key != "managedFields"}}
        present = with_named_fields(field_set(bare, definition), definition)

        assert compare(merge(bare, config, definition), bare, definition).taken == frozenset()
        assert owned <= present
        assert present <= with_named_fields(owned | NEVER_OWNED, definition)
        assert apply(live, config, definition, a_writer(manager), force=False) == live
