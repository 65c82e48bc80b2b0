import base64

import pytest

from minikube_py.api.errors import BadRequestError, InternalError
from minikube_py.api.resources import DEPLOYMENTS, PODS
from minikube_py.apiserver.admission import Attributes
from minikube_py.apiserver.admission_review import (
    Review,
    admission_review,
    call_failed,
    check_dry_run,
    decode_patch,
    note_failure,
    note_mutation,
    parse_review,
    request_of,
)
from minikube_py.apiserver.audit_trail import AuditTrail
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
    assert decode_patch(review.patch) == ({"op": "remove", "path": "/a"},)
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
    answer = an_answer(allowed=False, status=status, warnings=["w"], auditAnnotations={"why": "x"})
    review = parse_review(answer, "h", "u", may_patch=False)
    assert (review.denied.code, review.denied.message) == (code, message)
    assert f'"code":{code}'.encode() in status_body(review.denied)
    assert (review.warnings, review.audit_annotations) == (("w",), (("h/why", "x"),))


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"kind": "Other", "response": {}},
        an_answer(uid="x"),
        an_answer(patch=encoded(b"[]"), patchType="Magic"),
        an_answer(patch="%%%", patchType="JSONPatch"),
    ],
)
def test_what_is_no_answer_is_left_to_the_failure_policy(answer):
    with pytest.raises(InternalError):
        parse_review(answer, "h", "u", may_patch=True)


@pytest.mark.parametrize("patch", [b"{", b"{}", b"[1]"])
def test_a_patch_that_is_none_is_nobodys_failure_to_answer(patch):
    review = parse_review(an_answer(patch=encoded(patch), patchType="JSONPatch"), "h", "u", may_patch=True)
    with pytest.raises(InternalError, match="error decoding patch"):
        decode_patch(review.patch)
    assert decode_patch(b"") == ()


def test_what_mutating_webhooks_did_is_written_down():
    trail = AuditTrail(keeps_request=True)
    attributes = Attributes("CREATE", PODS, "", "n", "p", ALICE, trail=trail)
    note_mutation(attributes, "c", "h", "round_0_index_1", Review(b"[]"), changed=True)
    note_failure(attributes, "h", "mutation.round_1_index_2")

    assert trail.annotations == {
        "mutation.webhook.admission.k8s.io/round_0_index_1": '{"configuration":"c","webhook":"h","mutated":true}',
        "patch.webhook.admission.k8s.io/round_0_index_1": (
            '{"configuration":"c","webhook":"h","patch":[],"patchType":"JSONPatch"}'
        ),
        "failed-open.mutation.webhook.admission.k8s.io/round_1_index_2": "h",
    }


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
