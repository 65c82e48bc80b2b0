import orjson
import pytest

from minikube_py.api.decode import (
    BODY_BYTES_MAX,
    JSON,
    PROTOBUF,
    Expected,
    decode_object,
    decode_parsed,
    expected_of,
)
from minikube_py.api.errors import BadRequestError, TooLargeError, UnsupportedMediaTypeError
from minikube_py.api.resources import DEPLOYMENTS, PODS

POD = Expected("v1", "Pod")


def pod(**spec):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}


def refused(body, expected=POD, validation="Strict"):
    with pytest.raises(BadRequestError) as caught:
        decode_object(body if isinstance(body, bytes) else orjson.dumps(body), JSON, expected, validation)
    return caught.value.message


def test_a_sound_body_comes_through_as_it_is():
    obj = pod(containers=[{"name": "c", "image": "i", "resources": {"limits": {"cpu": "500m"}}}])

    assert decode_object(orjson.dumps(obj), JSON, POD, "Strict").obj == obj


def test_nulls_mean_not_given():
    body = pod(containers=[{"name": "c", "env": None}], nodeSelector={"a": None})

    assert decode_object(orjson.dumps(body), "", POD).obj["spec"] == {
        "containers": [{"name": "c"}],
        "nodeSelector": {"a": ""},
    }


def test_unknown_fields_go_and_become_warnings():
    body = pod(bogus=1, containers=[{"name": "c"}, {"name": "d", "foo": {"x": 1}}])
    decoded = decode_object(orjson.dumps(body), "application/json; charset=utf-8", POD)

    assert decoded.obj["spec"] == {"containers": [{"name": "c"}, {"name": "d"}]}
    assert decoded.warnings == ('unknown field "spec.bogus"', 'unknown field "spec.containers[1].foo"')


def test_strict_names_every_fault_in_the_texts_order():
    body = (
        b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","name":"b"},'
        b'"spec":{"x":1,"containers":[{"name":"c","image":"i","image":"j"}]},"spec":{}}'
    )

    assert refused(body) == (
        'Pod in version "v1" cannot be handled as a Pod: strict decoding error: duplicate field "metadata.name", '
        'unknown field "spec.x", duplicate field "spec.containers[0].image", duplicate field "spec"'
    )


def test_of_repeated_fields_the_last_counts():
    decoded = decode_object(b'{"metadata":{"name":"a","name":"b"}}', JSON, POD)

    assert decoded.obj["metadata"] == {"name": "b"}
    assert decoded.warnings == ('duplicate field "metadata.name"',)


def test_repeated_fields_are_found_whatever_the_spacing():
    body = b'{ "metadata" : { "labels" : { "a" : "1", "a" : "1" } } }'

    assert decode_object(body, JSON, POD).warnings == ('duplicate field "metadata.labels.a"',)


def test_ignore_hears_of_nothing():
    decoded = decode_object(b'{"bogus":1,"metadata":{"name":"a","name":"b"}}', JSON, POD, "Ignore")

    assert (decoded.warnings, "bogus" in decoded.obj) == ((), False)


def test_no_more_than_a_hundred_faults_are_named():
    body = orjson.dumps({f"x{i}": 1 for i in range(500)})

    assert len(decode_object(body, JSON, POD).warnings) == 100


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"hostname": 5}, "cannot unmarshal number into Go struct field PodSpec.spec.hostname of type string"),
        ({"activeDeadlineSeconds": "abc"}, "cannot unmarshal string into Go struct field"),
        ({"activeDeadlineSeconds": 1.5}, "of type int64"),
        ({"priority": 2**31}, "cannot unmarshal number 2147483648"),
        ({"hostNetwork": "yes"}, "of type bool"),
        ({"containers": {"a": 1}}, "cannot unmarshal object into Go struct field PodSpec.spec.containers of type"),
        ({"containers": [1]}, "of type v1.Container"),
        ({"nodeSelector": ["a"]}, "of type map[string]string"),
        ({"containers": [{"resources": {"limits": {"cpu": "abc"}}}]}, "quantities must match the regular expression"),
        ({"containers": [{"resources": {"limits": {"cpu": True}}}]}, "of type resource.Quantity"),
    ],
    ids=str,
)
def test_a_wrong_type_is_refused_even_when_faults_are_ignored(spec, said):
    message = refused(pod(**spec), validation="Ignore")

    assert message.startswith('Pod in version "v1" cannot be handled as a Pod: ')
    assert said in message


def test_zero_values_go_where_they_mean_not_given():
    container = {"name": "", "env": [{"name": "A", "value": ""}], "args": [], "stdin": False, "resources": {}}
    body = pod(
        containers=[container], hostNetwork=False, nodeSelector={}, priority=0, automountServiceAccountToken=False
    )
    volumes = [{"name": "v", "emptyDir": {}}, {"name": "s", "secret": {"optional": False}}]
    body["spec"]["volumes"] = volumes
    obj = decode_object(orjson.dumps(body), JSON, POD, "Strict").obj

    assert obj["spec"] == {
        "containers": [{"name": "", "env": [{"name": "A"}], "resources": {}}],
        "priority": 0,
        "automountServiceAccountToken": False,
        "volumes": volumes,
    }


def test_empty_values_of_a_map_are_kept():
    config_map = decode_object(b'{"data":{"a":""},"binaryData":{}}', JSON, Expected("v1", "ConfigMap")).obj

    assert (config_map["data"], "binaryData" in config_map) == ({"a": ""}, False)


def test_zero_replicas_are_kept():
    body = b'{"spec":{"replicas":0,"paused":false,"minReadySeconds":0}}'

    assert decode_object(body, JSON, expected_of(DEPLOYMENTS)).obj["spec"] == {"replicas": 0}


def test_quantities_and_times_get_their_canonical_text():
    body = pod(containers=[{"name": "c", "resources": {"limits": {"cpu": 0.5, "memory": "1024Mi"}}}])
    body["metadata"]["creationTimestamp"] = "2026-01-01T02:00:00.5+02:00"
    obj = decode_object(orjson.dumps(body), JSON, POD).obj

    assert obj["spec"]["containers"][0]["resources"]["limits"] == {"cpu": "500m", "memory": "1Gi"}
    assert obj["metadata"]["creationTimestamp"] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize("time", ["soon", "2026-02-30T00:00:00Z", "2026-01-01", "2026-01-01T00:00:00"])
def test_what_is_no_time_is_refused(time):
    body = pod()
    body["metadata"]["creationTimestamp"] = time

    assert "parsing time" in refused(body)


def test_base64_is_checked_and_may_hold_line_breaks():
    secret = Expected("v1", "Secret")

    assert decode_object(b'{"data":{"a":"YQ==\\n"}}', JSON, secret).obj["data"] == {"a": "YQ=="}
    assert "illegal base64 data at input byte 0" in refused(b'{"data":{"a":"***"}}', secret)


def test_kind_and_version_that_are_left_out_are_the_expected_ones():
    assert decode_object(b'{"metadata":{}}', JSON, POD).obj == {"apiVersion": "v1", "kind": "Pod", "metadata": {}}


def test_another_version_or_kind_is_refused():
    assert refused({"apiVersion": "extensions/v1beta1", "kind": "Deployment"}, expected_of(DEPLOYMENTS)) == (
        "the API version in the data (extensions/v1beta1) does not match the expected API version (apps/v1)"
    )
    assert refused({"apiVersion": "v1", "kind": "Service"}).startswith(
        'Service in version "v1" cannot be handled as a Pod: '
    )
    assert 'no kind "Bar" is registered' in refused({"apiVersion": "foo.example/v1", "kind": "Bar"})
    assert "must be strings" in refused({"apiVersion": 1, "kind": "Pod"})


def test_delete_options_have_a_name_in_every_group():
    options = {"apiVersion": "apps/v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0}

    assert decode_object(orjson.dumps(options), JSON, Expected("v1", "DeleteOptions")).obj["gracePeriodSeconds"] == 0


@pytest.mark.parametrize("body", [b"", b'{"apiVersion":', b"[1,2]", b"null", b'"x"', b"1", b"{a}", b'{"a":NaN}'])
def test_what_is_no_json_object_is_refused(body):
    assert refused(body).startswith("the object provided is unrecognized (must be of type Pod): couldn't get version")


def test_bottomless_json_is_refused():
    assert refused(b'{"spec":' * 5000 + b"1" + b"}" * 5000)


def test_the_body_has_a_limit():
    with pytest.raises(TooLargeError):
        decode_object(b" " * (BODY_BYTES_MAX + 1), JSON, POD)


def test_another_content_type_is_refused():
    with pytest.raises(UnsupportedMediaTypeError, match="application/json"):
        decode_object(b"{}", "text/plain", POD)


def test_protobuf_is_decoded_by_its_content_type():
    assert "expected prefix [107 56 115 0]" in _protobuf_refused(b"garbage")


def _protobuf_refused(body):
    with pytest.raises(BadRequestError) as caught:
        decode_object(body, PROTOBUF, POD)
    return caught.value.message


def test_a_parsed_object_is_treated_alike():
    decoded = decode_parsed({"spec": {"bogus": 1}, "metadata": None}, POD, "Warn", ('key "spec" already set in map',))

    assert decoded.obj == {"apiVersion": "v1", "kind": "Pod", "spec": {}}
    assert decoded.warnings == ('key "spec" already set in map', 'unknown field "spec.bogus"')


def test_a_subresource_has_its_own_kind():
    assert expected_of(DEPLOYMENTS, "scale") == Expected("autoscaling/v1", "Scale")
    assert expected_of(DEPLOYMENTS, "status") == Expected("apps/v1", "Deployment")
    assert expected_of(PODS, "binding") == Expected("v1", "Binding")


def test_zeros_of_pointer_fields_that_the_field_list_overlooks_are_kept():
    endpoint_slice = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "s"},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["192.0.2.1"], "conditions": {"ready": False, "terminating": False}}],
        "ports": [{"name": "", "port": 80}],
    }

    decoded = decode_object(orjson.dumps(endpoint_slice), JSON, Expected("discovery.k8s.io/v1", "EndpointSlice"))

    assert decoded.obj == endpoint_slice
