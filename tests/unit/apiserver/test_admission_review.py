import base64

import pytest

from minikube_py.api.errors import BadRequestError, InternalError
from minikube_py.api.resources import DEPLOYMENTS, PODS
from minikube_py.apiserver.admission import Attributes
from minikube_py.apiserver.admission_review import (
    DeniedError,
    admission_review,
    call_failed,
    check_dry_run,
    parse_review,
    request_of,
)
from minikube_py.apiserver.render import status_body
from minikube_py.apiserver.users import UserInfo

ALICE = UserInfo("alice", ("dev",))


def test_a_request_says_what_is_asked_and_by_whom():
    attributes = Attributes("UPDATE", DEPLOYMENTS, "scale", "n", "d", ALICE, dry_run=True)
    request = request_of(attributes, DEPLOYMENTS, "u")
    assert request["kind"] == {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    assert request["resource"] == {"group": "apps", "version": "v1", "resource": "deployments"}
    assert (request["subResource"], request["requestSubResource"]) == ("scale", "scale")
    assert request["userInfo"] == {"username": "alice", "groups": ["dev"]}
    assert request["options"] == {"kind": "UpdateOptions", "apiVersion": "meta.k8s.io/v1", "dryRun": ["All"]}
    review = admission_review(request, {"a": 1}, None)
    assert (review["request"]["object"], review["request"]["oldObject"]) == ({"a": 1}, None)


def test_a_request_about_the_cluster_names_no_namespace():
    assert "namespace" not in request_of(Attributes("CONNECT", PODS, "", "", "p", ALICE), PODS, "u")


def an_answer(**response):
    return {"kind": "AdmissionReview", "response": {"uid": "u", "allowed": True, **response}}


def encoded(text):
    return base64.b64encode(text).decode()


def test_a_patch_and_warnings_are_read():
    answer = an_answer(patchType="JSONPatch", patch=encoded(b'[{"op":"remove","path":"/a"}]'), warnings=["w" * 300])
    review = parse_review(answer, "h", "u", may_patch=True)
    assert review.patch == ({"op": "remove", "path": "/a"},)
    assert review.warnings == ("w" * 256,)


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        ({"message": "no", "code": 418, "reason": "Teapot"}, 418, 'admission webhook "h" denied the request: no'),
        ({"reason": "Whim"}, 400, 'admission webhook "h" denied the request: Whim'),
        (None, 400, 'admission webhook "h" denied the request without explanation'),
        ({"message": "no", "code": 200}, 400, 'admission webhook "h" denied the request: no'),
    ],
)
def test_a_refusal_has_the_webhooks_words_and_code(status, code, message):
    with pytest.raises(DeniedError) as denied:
        parse_review(an_answer(allowed=False, status=status), "h", "u", may_patch=False)
    assert (denied.value.code, denied.value.message) == (code, message)
    assert f'"code":{code}'.encode() in status_body(denied.value)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"kind": "Other", "response": {}},
        an_answer(uid="x"),
        an_answer(patch=encoded(b"[]"), patchType="Magic"),
        an_answer(patch="%%%", patchType="JSONPatch"),
        an_answer(patch=encoded(b"{}"), patchType="JSONPatch"),
        an_answer(patch=encoded(b"[1]"), patchType="JSONPatch"),
    ],
)
def test_what_is_no_answer_is_left_to_the_failure_policy(answer):
    with pytest.raises(InternalError):
        parse_review(answer, "h", "u", may_patch=True)


def test_a_validation_may_not_patch():
    answer = an_answer(patch=encoded(b"[]"), patchType="JSONPatch")
    with pytest.raises(InternalError, match=r"returned response\.patch for a validation"):
        parse_review(answer, "h", "u", may_patch=False)


def test_a_failed_call_is_worded_as_upstream_does():
    error = call_failed("h", "failed to call webhook: refused")
    assert error.message == 'Internal error occurred: failed calling webhook "h": failed to call webhook: refused'
    assert error.details == {"causes": [{"message": 'failed calling webhook "h": failed to call webhook: refused'}]}


def test_a_dry_run_may_not_have_side_effects():
    attributes = Attributes("CREATE", PODS, "", "n", "p", ALICE, dry_run=True)
    check_dry_run({"name": "h", "sideEffects": "NoneOnDryRun"}, attributes)
    with pytest.raises(BadRequestError, match='admission webhook "h" does not support dry run'):
        check_dry_run({"name": "h", "sideEffects": "Some"}, attributes)
