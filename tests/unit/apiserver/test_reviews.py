"""Reviews carry the judges' answers."""

import pytest

from minikube_py.api.errors import BadRequestError, InvalidError, UnauthorizedError
from minikube_py.api.resources import RESOURCES
from minikube_py.apiserver.authorize import Allowed, Denied, authorize, rules_of
from minikube_py.apiserver.reviews import ANSWERS, Asked, Judges
from minikube_py.apiserver.users import AUTHENTICATED, SYSTEM_MASTERS, UserInfo

ADMIN = UserInfo("admin", (SYSTEM_MASTERS, AUTHENTICATED))
ALICE = UserInfo("alice", (AUTHENTICATED,))


def user_of_token(token):
    if token != "good":
        raise UnauthorizedError("Unauthorized")
    return ALICE


JUDGES = Judges(authorize, user_of_token)
PODS = {"verb": "get", "resource": "pods", "namespace": "default"}


def ask(kind, spec, user=ADMIN):
    review = {"kind": "Review", "metadata": {"name": "kept", "labels": {}}, "spec": spec}
    name = next(name for name in ANSWERS if name.startswith(f"{kind}."))
    return ANSWERS[name](review, Asked(user, "default", 0.0), JUDGES)


def test_every_review_resource_has_an_answer():
    reviews = {r.qualified for r in RESOURCES if r.computed and r.group and "create" in r.verbs}

    assert reviews == set(ANSWERS)


def test_who_asks_is_told_who_he_is():
    review = ask("selfsubjectreviews", {}, ALICE)

    assert review["status"]["userInfo"] == {"username": "alice", "groups": [AUTHENTICATED]}
    assert review["metadata"] == {"creationTimestamp": "1970-01-01T00:00:00Z"}


def test_a_token_that_is_known_has_a_user():
    known = ask("tokenreviews", {"token": "good", "audiences": ["a"]})["status"]
    unknown = ask("tokenreviews", {"token": "bad"})["status"]

    assert (known["authenticated"], known["user"]["username"], known["audiences"]) == (True, "alice", ["a"])
    assert unknown == {"user": {}, "error": "invalid bearer token"}
    with pytest.raises(BadRequestError):
        ask("tokenreviews", {})


@pytest.mark.parametrize(
    ("kind", "spec", "allowed"),
    [
        ("selfsubjectaccessreviews", {"resourceAttributes": PODS}, True),
        ("subjectaccessreviews", {"user": "alice", "resourceAttributes": PODS}, False),
        ("subjectaccessreviews", {"groups": [SYSTEM_MASTERS], "resourceAttributes": PODS}, True),
        ("subjectaccessreviews", {"user": "a", "nonResourceAttributes": {"path": "/healthz", "verb": "get"}}, True),
        ("subjectaccessreviews", {"user": "a", "nonResourceAttributes": {"path": "/metrics", "verb": "get"}}, False),
        ("localsubjectaccessreviews", {"user": "alice", "resourceAttributes": PODS}, False),
    ],
)
def test_what_is_allowed_is_what_the_authorizer_says(kind, spec, allowed):
    review = ask(kind, spec)

    assert review["status"] == {"allowed": allowed}
    assert review["metadata"] == {"name": "kept"}


def test_why_not_is_passed_on():
    judges = Judges(lambda user, info: Denied("because"), user_of_token)
    review = {"metadata": {}, "spec": {"resourceAttributes": PODS}}
    answer = ANSWERS["selfsubjectaccessreviews.authorization.k8s.io"](review, Asked(ALICE, "", 0.0), judges)

    assert answer["status"] == {"allowed": False, "reason": "because"}


@pytest.mark.parametrize(
    ("kind", "spec", "fields"),
    [
        ("subjectaccessreviews", {}, ["spec.resourceAttributes", "spec.user"]),
        ("selfsubjectaccessreviews", {}, ["spec.resourceAttributes"]),
        (
            "selfsubjectaccessreviews",
            {"resourceAttributes": {}, "nonResourceAttributes": {}},
            ["spec.nonResourceAttributes"],
        ),
        ("localsubjectaccessreviews", {"user": "a", "nonResourceAttributes": {}}, ["spec.nonResourceAttributes"]),
    ],
)
def test_a_question_that_is_none_is_refused(kind, spec, fields):
    with pytest.raises(InvalidError) as raised:
        ask(kind, spec)

    assert [cause["field"] for cause in raised.value.details["causes"]] == fields


def test_a_local_question_stays_in_its_namespace():
    with pytest.raises(BadRequestError):
        ask("localsubjectaccessreviews", {"user": "a", "resourceAttributes": {**PODS, "namespace": "other"}})


def test_what_one_may_do_is_listed_and_agrees_with_the_authorizer():
    everything = ask("selfsubjectrulesreviews", {"namespace": "default"})["status"]
    some = ask("selfsubjectrulesreviews", {"namespace": "default"}, ALICE)["status"]

    assert everything["resourceRules"] == [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
    assert [rule["resources"] for rule in some["resourceRules"]] == [
        ["selfsubjectaccessreviews"],
        ["selfsubjectrulesreviews"],
        ["selfsubjectreviews"],
    ]
    assert [rule["verbs"] for rule in some["nonResourceRules"]] == [["get"], ["get"]]
    with pytest.raises(BadRequestError):
        ask("selfsubjectrulesreviews", {})
    for rule in rules_of(ALICE).non_resource_rules:
        for url in rule.urls:
            spec = {"nonResourceAttributes": {"path": url.replace("*", "x"), "verb": "get"}}
            assert ask("selfsubjectaccessreviews", spec, ALICE)["status"]["allowed"]
    assert isinstance(authorize(ADMIN, None), Allowed)
