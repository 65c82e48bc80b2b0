# ruff: noqa: E501  # a message is easier to compare on one line
import pytest

from minikube_py.api.meta import copy_object
from minikube_py.api.rules.apiextensions import (
    condition_is,
    is_established,
    prepare_create,
    prepare_update,
    set_defaults,
    validate_client_config,
    validate_definition,
    validate_definition_update,
    validate_status,
    validate_stored_versions,
)
from minikube_py.testing.custom_objects import a_definition, a_served_definition, a_version


def nothing(*_):
    yield from ()


def faults(crd):
    return [str(fault) for fault in validate_definition(crd, nothing, nothing)]


def a_complete_definition(**spec):
    crd = a_definition(**spec)
    set_defaults(crd)
    return crd


def test_names_and_conversion_are_filled_in():
    spec = a_complete_definition()["spec"]
    assert (spec["names"]["singular"], spec["names"]["listKind"]) == ("widget", "WidgetList")
    assert spec["conversion"] == {"strategy": "None"}
    webhook = {"strategy": "Webhook", "webhook": {"clientConfig": {"service": {"name": "s", "namespace": "n"}}}}
    assert (
        a_complete_definition(conversion=webhook)["spec"]["conversion"]["webhook"]["clientConfig"]["service"]["port"]
        == 443
    )


def test_a_new_definition_stores_in_its_storage_version():
    crd = a_definition()
    crd["status"] = {"conditions": ["whatever"]}
    prepare_create(crd)
    assert crd["status"] == {"storedVersions": ["v1"]}


def test_a_new_storage_version_is_remembered():
    old = a_served_definition()
    new = copy_object(old)
    new["spec"]["versions"] = [a_version("v1", storage=False), a_version("v2")]
    prepare_update(new, old)
    assert new["status"]["storedVersions"] == ["v1", "v2"]


def test_a_good_definition_has_no_faults():
    assert faults(a_complete_definition()) == []


def changed(**changes):
    crd = a_complete_definition()
    for path, value in changes.items():
        target = crd
        *parents, last = path.split("__")
        for parent in parents:
            target = target[int(parent)] if parent.isdigit() else target[parent]
        target[last] = value
    return crd


@pytest.mark.parametrize(
    ("crd", "expected"),
    [
        (changed(metadata__name="x"), 'metadata.name: Invalid value: "x": must be spec.names.plural+"."+spec.group'),
        (changed(spec__scope="Galaxy"), 'spec.scope: Unsupported value: "Galaxy": supported values: "Cluster", "Namespaced"'),
        (changed(spec__group="io"), 'spec.group: Invalid value: "io": should be a domain with at least one dot'),
        (changed(spec__group=""), "spec.group: Required value"),
        (changed(spec__versions=[]), "spec.versions: Required value"),
        (changed(spec__names__kind="widget_"), "spec.names.kind: Invalid value"),
        (changed(spec__names__listKind="Widget"), 'spec.names.listKind: Invalid value: "Widget": kind and listKind may not be the same'),
        (changed(spec__names__shortNames=["W"]), 'spec.names.shortNames[0]: Invalid value: "W"'),
        (changed(spec__preserveUnknownFields=True), "spec.preserveUnknownFields: Invalid value: true"),
        (changed(spec__versions__0__schema={}), "spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required"),
        (changed(spec__versions__0__name="V1"), 'spec.versions[0].name: Invalid value: "V1"'),
        (changed(spec__versions__0__deprecationWarning="x"), 'spec.versions[0].deprecationWarning: Invalid value: "x": can only be set for deprecated versions'),
        (changed(spec__versions__0__storage=False), "must have exactly one version marked as storage version"),
        (changed(spec__versions=[a_version(), a_version(storage=False)]), "must contain unique version names"),
        (changed(spec__conversion={"strategy": "X"}), 'spec.conversion.strategy: Unsupported value: "X"'),
        (changed(spec__conversion={"strategy": "Webhook"}), 'spec.conversion.webhook: Required value: required when strategy is set to "Webhook"'),
        (changed(spec__conversion={"strategy": "None", "webhook": {}}), 'spec.conversion.webhook: Forbidden: should not be set when strategy is not set to "Webhook"'),
        (
            changed(spec__conversion={"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v9"]}}),
            'spec.conversion.webhook.conversionReviewVersions: Invalid value: ["v9"]: must include at least one of v1, v1beta1',
        ),
        (
            changed(spec__versions__0__additionalPrinterColumns=[{"name": "", "type": "x", "jsonPath": "["}]),
            'spec.versions[0].additionalPrinterColumns[0].type: Invalid value: "x": must be one of integer,number,string,boolean,date',
        ),
        (
            changed(spec__versions__0__subresources={"scale": {"specReplicasPath": "spec.x", "statusReplicasPath": ".spec.y"}}),
            'spec.versions[0].subresources.scale.statusReplicasPath: Invalid value: ".spec.y": should be a json path under .status',
        ),
        (
            changed(spec__versions__0__selectableFields=[{"jsonPath": ".spec.tags"}]),
            'spec.versions[0].selectableFields[0].jsonPath: Invalid value: ".spec.tags": must point to a field of type string',
        ),
        (
            changed(spec__versions__0__selectableFields=[{"jsonPath": ".spec.nobody"}]),
            'spec.versions[0].selectableFields[0].jsonPath: Invalid value: ".spec.nobody": is an invalid path: does not refer to a valid field',
        ),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) else "",
)  # fmt: skip
def test_each_fault_is_named(crd, expected):
    assert any(expected in fault for fault in faults(crd)), faults(crd)


def test_groups_of_kubernetes_need_an_approval():
    crd = a_complete_definition(group="x.k8s.io")
    assert faults(crd)[0].startswith("metadata.annotations[api-approved.kubernetes.io]: Required value")
    crd["metadata"]["annotations"] = {"api-approved.kubernetes.io": "because"}
    assert "with either a URL or a reason" in faults(crd)[0]
    crd["metadata"]["annotations"] = {"api-approved.kubernetes.io": "unapproved, it is a test"}
    assert faults(crd) == []


def test_what_storage_rests_upon_does_not_change():
    old = a_served_definition()
    new = copy_object(old)
    new["spec"]["scope"] = "Cluster"
    new["spec"]["names"]["kind"] = "Other"
    fields = [fault.field for fault in validate_definition_update(new, old, nothing, nothing)]
    assert fields == ["spec.scope", "spec.names.kind"]


def test_stored_versions_must_be_in_the_spec():
    crd = a_served_definition()
    assert list(validate_stored_versions(crd)) == []
    crd["status"]["storedVersions"] = []
    assert [fault.field for fault in validate_status(crd, crd)] == ["status.storedVersions"]


def test_conditions_are_read():
    crd = a_served_definition()
    assert is_established(crd)
    assert not condition_is(crd, "Terminating", "True")


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        ({}, ["c: Required value: exactly one of url or service is required"]),
        ({"url": "https://x/y"}, []),
        ({"url": "http://x"}, ["c.url: Invalid value: \"http://x\": 'https' is the only allowed URL scheme; desired format: https://host[/path]"]),
        ({"url": "https://a@x?q#f"}, 3),
        ({"service": {"name": "s", "namespace": "n", "port": 443, "path": "/x"}}, []),
        ({"service": {"port": 0, "path": "x"}}, 4),
    ],
)  # fmt: skip
def test_a_webhook_is_reached_by_url_or_by_service(client, expected):
    found = [str(fault) for fault in validate_client_config(client, "c")]
    assert found == expected or len(found) == expected
