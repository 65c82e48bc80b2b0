import pytest

from minikube_py.api.errors import (
    MODIFIED,
    ConflictError,
    FieldError,
    GoneError,
    InternalError,
    NotFoundError,
    already_exists,
    conflict,
    forbidden,
    from_status,
    invalid,
    not_found,
    to_status,
)


def test_not_found_reads_as_upstream():
    status = to_status(not_found("apps", "deployments", "web"))

    assert status["message"] == 'deployments.apps "web" not found'
    assert status["details"] == {"name": "web", "group": "apps", "kind": "deployments"}
    assert (status["code"], status["reason"], status["status"]) == (404, "NotFound", "Failure")


def test_conflict_reads_as_upstream():
    error = conflict("", "pods", "a", MODIFIED)

    assert error.message.startswith('Operation cannot be fulfilled on pods "a": the object has been modified;')
    assert to_status(error)["code"] == 409


def test_already_exists_and_forbidden_name_the_object():
    assert already_exists("", "pods", "a").message == 'pods "a" already exists'
    assert forbidden("", "pods", "a", "no").message == 'pods "a" is forbidden: no'
    assert forbidden("", "pods", "", "no").message == "pods is forbidden: no"


def test_invalid_lists_every_fault_as_a_cause():
    error = invalid(
        "",
        "Pod",
        "a",
        [
            FieldError("FieldValueRequired", "spec.containers"),
            FieldError("FieldValueInvalid", "metadata.name", "must be lower case", "A"),
        ],
    )

    assert error.message == (
        'Pod "a" is invalid: [spec.containers: Required value, metadata.name: Invalid value: "A": must be lower case]'
    )
    assert error.details["causes"][1] == {
        "reason": "FieldValueInvalid",
        "message": 'Invalid value: "A": must be lower case',
        "field": "metadata.name",
    }


def test_one_fault_stands_without_brackets():
    error = invalid("apps", "Deployment", "a", [FieldError("FieldValueForbidden", "spec.x", "no")])

    assert error.message == 'Deployment.apps "a" is invalid: spec.x: Forbidden: no'


@pytest.mark.parametrize(
    "error",
    [
        not_found("", "pods", "a"),
        conflict("", "pods", "a", "why"),
        GoneError("too old"),
        NotFoundError("x", retry_after_s=1),
    ],
    ids=lambda e: type(e).__name__,
)
def test_a_status_turns_back_into_its_error(error):
    back = from_status(to_status(error))

    assert type(back) is type(error)
    assert (back.message, back.details, back.retry_after_s) == (error.message, error.details, error.retry_after_s)


def test_an_unknown_reason_is_judged_by_its_code():
    assert from_status({"reason": "Odd", "code": 409, "message": "m"}).code == ConflictError.code
    assert isinstance(from_status({"reason": "Odd", "message": "m"}), InternalError)


def test_values_are_shown_as_go_shows_them():
    assert FieldError("FieldValueInvalid", "f", "", True).body() == "Invalid value: true"
    assert FieldError("FieldValueDuplicate", "f", "", 'a"b').body() == 'Duplicate value: "a\\"b"'
