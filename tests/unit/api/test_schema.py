import pytest

from minikube_py.api import schema
from minikube_py.api.resources import RESOURCES


def pod(*path):
    return schema.schema_of("v1", "Pod").at(*path)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: r.plural)
def test_every_served_kind_has_a_schema_with_metadata(resource):
    found = schema.schema_of(resource.api_version, resource.kind)

    assert found.child("metadata").definition == "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


def test_every_reference_leads_to_a_definition():
    for name in schema.raw_definitions():
        for field in schema.definition(name).fields.values():
            inner = field.schema
            while inner.item is not None:
                inner = inner.item
            assert not inner.definition or inner.definition in schema.raw_definitions()


def test_a_list_knows_its_patch_key_and_its_apply_keys():
    ports = pod("spec", "containers", 0, "ports")

    assert (ports.merge_key, ports.patch_strategy) == ("containerPort", ("merge",))
    assert (ports.list_type, ports.list_map_keys) == ("map", ("containerPort", "protocol"))
    assert pod("spec", "volumes").patch_strategy == ("merge", "retainKeys")
    assert pod("metadata", "finalizers").list_type == "set"


def test_special_scalars_have_types_of_their_own():
    assert pod("spec", "containers", 0, "resources", "limits", "cpu").type == "quantity"
    assert pod("spec", "containers", 0, "livenessProbe", "httpGet", "port").type == "int-or-string"
    assert pod("metadata", "creationTimestamp").type == "time"
    assert pod("metadata", "managedFields", 0, "fieldsV1").type == "fields-v1"
    assert schema.schema_of("v1", "Secret").at("data", "key").type == "bytes"
    assert schema.schema_of("v1", "Event").at("eventTime").type == "micro-time"


def test_a_map_type_comes_from_the_property_or_its_definition():
    assert schema.schema_of("apps/v1", "ReplicaSet").at("spec", "selector").map_type == "atomic"
    assert pod("spec", "nodeSelector").map_type == "atomic"
    assert pod("metadata", "labels").map_type == ""


def test_required_fields_are_marked():
    fields = pod("spec").fields

    assert fields["containers"].required
    assert not fields["volumes"].required


def test_a_path_that_leads_nowhere_gives_none():
    assert pod("spec", "bogus", "deeper") is None
    assert schema.schema_of("v9", "Pod") is None


def test_the_table_holds_no_sentences():
    assert not any("description" in raw for raw in schema.raw_definitions().values())


def test_descriptions_are_keyed_like_the_table():
    assert set(schema.descriptions()) <= set(schema.raw_definitions())


def test_a_zero_is_kept_where_it_differs_from_nothing():
    spec, container = pod("spec").fields, pod("spec", "containers", 0).fields
    kept = {name for name in ("priority", "hostNetwork", "automountServiceAccountToken") if spec[name].keeps_zero}

    assert kept == {"priority", "automountServiceAccountToken"}
    assert container["name"].keeps_zero  # required
    assert container["resources"].keeps_zero  # an object
    assert not container["env"].keeps_zero
    assert schema.schema_of("v1", "Pod").at("spec", "volumes", 0, "secret").fields["optional"].keeps_zero
