import pytest

from minikube_py.api.errors import BadRequestError, InternalError, InvalidError
from minikube_py.apiserver.options import (
    APPLY_PATCH,
    RemovalOptions,
    WriteOptions,
    parse_removal_options,
    parse_write_options,
)


def test_the_manager_of_a_write_is_the_parameter_or_the_user_agents_first_word():
    assert parse_write_options("create", {"fieldManager": "me"}, "kubectl/v1.33").field_manager == "me"
    assert parse_write_options("create", {}, "kubectl/v1.33 (linux/amd64)").field_manager == "kubectl"
    assert parse_write_options("create", {}, "").field_manager == "unknown"


def test_options_read_as_they_are_meant():
    query = {"dryRun": "All", "fieldValidation": "Strict", "fieldManager": "m"}
    assert parse_write_options("update", query, "") == WriteOptions(True, "m", "Strict")
    applied = parse_write_options("patch", {"fieldManager": "m", "force": "true"}, "", APPLY_PATCH)
    assert (applied.force, applied.applied) == (True, True)


@pytest.mark.parametrize(
    ("verb", "query", "patch_type", "message"),
    [
        (
            "create",
            {"dryRun": "Some"},
            "",
            'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: []string{"Some"}: '
            'supported values: "All"',
        ),
        (
            "update",
            {"fieldValidation": "Loose"},
            "",
            'UpdateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Loose": '
            'supported values: "", "Ignore", "Strict", "Warn"',
        ),
        (
            "patch",
            {},
            APPLY_PATCH,
            'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
        ),
        (
            "patch",
            {"force": "true"},
            "application/merge-patch+json",
            'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
        ),
        (
            "create",
            {"fieldManager": "a\ab"},
            "",
            'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "a\ab": '
            "invalid character U+0007 (at position 1)",
        ),
        (
            "create",
            {"fieldManager": "m" * 129},
            "",
            'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Too long: must have at most 128 bytes',
        ),
    ],
)
def test_a_value_that_is_not_served_is_refused(verb, query, patch_type, message):
    with pytest.raises(InvalidError) as refused:
        parse_write_options(verb, query, "", patch_type)
    assert refused.value.message == message


def test_delete_options_come_from_the_body_when_there_is_one():
    body = {
        "kind": "DeleteOptions",
        "gracePeriodSeconds": 0,
        "propagationPolicy": "Foreground",
        "preconditions": {"uid": "u", "resourceVersion": "7"},
    }
    assert parse_removal_options({"gracePeriodSeconds": "9"}, body) == RemovalOptions(
        grace_period_s=0, uid="u", resource_version="7", propagation="Foreground"
    )
    query = {"gracePeriodSeconds": "9", "dryRun": "All", "orphanDependents": "true"}
    assert parse_removal_options(query, None) == RemovalOptions(True, 9, propagation="Orphan")


@pytest.mark.parametrize(
    ("query", "body", "error", "message"),
    [
        ({"gracePeriodSeconds": "abc"}, None, BadRequestError, 'strconv.ParseInt: parsing "abc": invalid syntax'),
        ({}, {"kind": "ConfigMap", "apiVersion": "v1"}, InternalError, 'no kind "ConfigMap" is registered'),
        ({"propagationPolicy": "Foo"}, None, InvalidError, 'supported values: "Foreground", "Background", "Orphan"'),
        (
            {},
            {"orphanDependents": True, "propagationPolicy": "Orphan"},
            InvalidError,
            "orphanDependents and deletionPropagation cannot be both set",
        ),
    ],
)
def test_delete_options_that_make_no_sense_are_refused(query, body, error, message):
    with pytest.raises(error, match=message):
        parse_removal_options(query, body)
