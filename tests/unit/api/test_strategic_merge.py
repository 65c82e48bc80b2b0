"""What a strategic merge patch does: merge keys, directives and the order of lists (observed on upstream 1.20)."""

import pytest

from minikube_py.api.errors import BadRequestError, InternalError, InvalidError
from minikube_py.api.schema import schema_of
from minikube_py.api.strategic_merge import apply_strategic_merge

POD = schema_of("v1", "Pod")
SERVICE = schema_of("v1", "Service")
DEPLOYMENT = schema_of("apps/v1", "Deployment")
CONFIG_MAP = schema_of("v1", "ConfigMap")


def a_pod(*containers, **spec):
    return {
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": n, "image": "i"} for n in containers], **spec},
    }


def names(pod, field="containers"):
    return [element["name"] for element in pod["spec"][field]]


def patched_spec(pod, spec_patch):
    return apply_strategic_merge(pod, {"spec": spec_patch}, POD)["spec"]


def test_an_element_merges_by_its_key_and_keeps_what_the_patch_leaves_out():
    pod = apply_strategic_merge(a_pod("a", "b"), {"spec": {"containers": [{"name": "b", "args": ["x"]}]}}, POD)

    assert pod["spec"]["containers"][1] == {"name": "b", "image": "i", "args": ["x"]}
    assert names(pod) == ["a", "b"]


def test_a_new_element_stands_in_front_of_the_old_ones():
    assert names(apply_strategic_merge(a_pod("a", "b"), {"spec": {"containers": [{"name": "c"}]}}, POD)) == [
        "c",
        "a",
        "b",
    ]


def test_set_element_order_says_the_order_and_keeps_elements_that_only_the_server_knows():
    order = [{"name": "b"}, {"name": "c"}, {"name": "a"}]
    patch = {"spec": {"$setElementOrder/containers": order, "containers": [{"name": "c", "image": "n"}]}}

    assert names(apply_strategic_merge(a_pod("a", "b"), patch, POD)) == ["b", "c", "a"]
    assert names(apply_strategic_merge(a_pod("s", "a", "b"), patch, POD)) == ["s", "b", "c", "a"]


def test_set_element_order_alone_reorders():
    patch = {"spec": {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}}

    assert names(apply_strategic_merge(a_pod("a", "b"), patch, POD)) == ["b", "a"]
    assert apply_strategic_merge({"spec": {}}, patch, POD) == {"spec": {}}


def test_a_patch_list_that_contradicts_its_own_order_is_refused():
    patch = {"spec": {"$setElementOrder/containers": [{"name": "b"}], "containers": [{"name": "c"}]}}

    with pytest.raises(InternalError, match="doesn't match"):
        apply_strategic_merge(a_pod("a"), patch, POD)


def test_an_element_is_deleted_by_its_key():
    pod = apply_strategic_merge(a_pod("a", "b"), {"spec": {"containers": [{"name": "a", "$patch": "delete"}]}}, POD)

    assert names(pod) == ["b"]


def test_a_list_is_replaced_by_an_element_with_the_directive():
    patch = {"spec": {"containers": [{"$patch": "replace"}, {"name": "z", "image": "n"}]}}

    assert apply_strategic_merge(a_pod("a", "b"), patch, POD)["spec"]["containers"] == [{"name": "z", "image": "n"}]


def test_a_map_is_replaced_or_emptied_by_the_directive():
    pod = a_pod("a", nodeSelector={"x": "1", "y": "2"})

    assert patched_spec(pod, {"nodeSelector": {"$patch": "replace", "z": "3"}})["nodeSelector"] == {"z": "3"}
    assert patched_spec(pod, {"nodeSelector": {"$patch": "delete"}})["nodeSelector"] == {}


def test_retain_keys_drops_every_other_key():
    deployment = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}

    assert apply_strategic_merge(deployment, patch, DEPLOYMENT) == {"spec": {"strategy": {"type": "Recreate"}}}


def test_retain_keys_must_name_every_key_of_the_patch():
    patch = {"spec": {"strategy": {"$retainKeys": ["rollingUpdate"], "type": "Recreate"}}}

    with pytest.raises(BadRequestError, match="retainKeys"):
        apply_strategic_merge({"spec": {"strategy": {"type": "x"}}}, patch, DEPLOYMENT)


def test_scalars_of_a_merging_list_come_first_and_can_be_deleted():
    obj = {"metadata": {"finalizers": ["x", "y"]}}

    added = apply_strategic_merge(obj, {"metadata": {"finalizers": ["z", "x"]}}, CONFIG_MAP)
    removed = apply_strategic_merge(obj, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["x"]}}, CONFIG_MAP)

    assert added["metadata"]["finalizers"] == ["z", "x", "y"]
    assert removed["metadata"]["finalizers"] == ["y"]


def test_a_list_without_strategy_is_replaced():
    pod = {"spec": {"containers": [{"name": "a", "args": ["1", "2"]}]}}

    assert patched_spec(pod, {"containers": [{"name": "a", "args": ["3"]}]})["containers"][0]["args"] == ["3"]


def test_nulls_delete_and_do_not_survive_in_new_values():
    pod = a_pod("a", nodeSelector={"x": "1"})

    assert "nodeSelector" not in patched_spec(pod, {"nodeSelector": None})
    assert patched_spec(pod, {"securityContext": {"runAsUser": None, "runAsGroup": 1}})["securityContext"] == {
        "runAsGroup": 1
    }


def test_directives_in_values_that_are_new_are_carried_out_and_vanish():
    patch = {
        "spec": {
            "$setElementOrder/volumes": [{"name": "v"}],
            "volumes": [{"name": "v", "$retainKeys": ["name", "emptyDir"], "emptyDir": {}}],
        }
    }

    assert apply_strategic_merge(a_pod("a"), patch, POD)["spec"]["volumes"] == [{"name": "v", "emptyDir": {}}]


def test_service_ports_merge_by_port():
    service = {"spec": {"ports": [{"name": "b", "protocol": "UDP", "port": 81}]}}

    patched = apply_strategic_merge(service, {"spec": {"ports": [{"name": "m", "port": 90}]}}, SERVICE)

    assert [port["port"] for port in patched["spec"]["ports"]] == [90, 81]


def test_an_element_without_merge_key_is_upstreams_500():
    with pytest.raises(InternalError, match=r"map: map\[image:x\] does not contain declared merge key: name"):
        patched_spec(a_pod("a"), {"containers": [{"image": "x"}]})


def test_an_unknown_directive_is_upstreams_500():
    with pytest.raises(InternalError, match=r"unknown patch type: frob in map: map\[\$patch:frob\]"):
        patched_spec(a_pod("a"), {"$patch": "frob"})


@pytest.mark.parametrize("spec", [{"containers": {"a": 1}}, {"containers": ["a"]}, {"nodeSelector": "a"}], ids=str)
def test_a_value_of_the_wrong_type_is_a_422_on_the_field_patch(spec):
    with pytest.raises(InvalidError) as refused:
        patched_spec(a_pod("a", nodeSelector={}), spec)

    assert refused.value.details["causes"][0]["field"] == "patch"


def test_arguments_stay_as_they_were():
    pod, patch = a_pod("a"), {"spec": {"$setElementOrder/containers": [{"name": "a"}], "containers": [{"name": "a"}]}}

    apply_strategic_merge(pod, patch, POD)["spec"]["containers"][0]["image"] = "changed"

    assert pod == a_pod("a")
    assert len(patch["spec"]) == 2
