import pytest

from minikube_py.apiserver.audit_policy import NOTHING, AuditPolicyError, Decision, parse_policy
from minikube_py.apiserver.routes import parse_request
from minikube_py.apiserver.users import UserInfo

ALICE = UserInfo("alice", ("devs", "system:authenticated"))


def level(rule, path, method="GET", user=ALICE):
    policy = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "Metadata", **rule}]}
    return parse_policy(policy).decide(user, parse_request(method, path, {})).level


PODS = "/api/v1/namespaces/n/pods"


@pytest.mark.parametrize(
    ("rule", "path", "matches"),
    [
        ({}, PODS, True),
        ({"users": ["bob"]}, PODS, False),
        ({"users": ["alice"], "userGroups": ["devs"]}, PODS, True),
        ({"userGroups": ["ops"]}, PODS, False),
        ({"verbs": ["list"]}, PODS, True),
        ({"verbs": ["watch"]}, PODS, False),
        ({"namespaces": ["n"]}, PODS, True),
        ({"namespaces": [""]}, PODS, False),
        ({"namespaces": [""]}, "/api/v1/nodes", True),
        ({"resources": [{"group": "apps"}]}, PODS, False),
        ({"resources": [{"group": ""}]}, PODS, True),
        ({"resources": [{"resources": ["pods"]}]}, f"{PODS}/p/status", False),
        ({"resources": [{"resources": ["pods/status"]}]}, f"{PODS}/p/status", True),
        ({"resources": [{"resources": ["*/status"]}]}, f"{PODS}/p/status", True),
        ({"resources": [{"resources": ["pods/*"]}]}, f"{PODS}/p/status", True),
        ({"resources": [{"resources": ["*"]}]}, f"{PODS}/p/status", True),
        ({"resources": [{"resources": ["pods"], "resourceNames": ["q"]}]}, f"{PODS}/p", False),
        ({"resources": [{"resources": ["pods"], "resourceNames": ["p"]}]}, f"{PODS}/p", True),
        ({"resources": [{"resources": ["pods"]}]}, "/healthz", False),
        ({"nonResourceURLs": ["/health*"]}, "/healthz", True),
        ({"nonResourceURLs": ["/livez"]}, "/healthz", False),
        ({"nonResourceURLs": ["*"]}, PODS, False),
    ],
)
def test_a_rule_matches_by_user_verb_and_place(rule, path, matches):
    assert (level(rule, path) == "Metadata") is matches


def test_the_first_rule_that_matches_decides_and_stages_add_up():
    policy = parse_policy(
        {
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived"],
            "omitManagedFields": True,
            "rules": [
                {"level": "None", "users": ["bob"]},
                {"level": "Request", "verbs": ["create"], "omitStages": ["Panic"], "omitManagedFields": False},
                {"level": "RequestResponse", "verbs": ["list", "create"]},
            ],
        }
    )
    info = parse_request("GET", PODS, {})
    assert policy.decide(UserInfo("bob", ()), info) == Decision("None", frozenset({"RequestReceived"}), True)
    assert policy.decide(ALICE, info) == Decision("RequestResponse", frozenset({"RequestReceived"}), True)
    made = policy.decide(ALICE, parse_request("POST", PODS, {}))
    assert made == Decision("Request", frozenset({"RequestReceived", "Panic"}), False)
    assert (made.keeps("Metadata"), made.keeps("Request"), made.keeps("RequestResponse")) == (True, True, False)
    assert policy.decide(ALICE, parse_request("PUT", f"{PODS}/p", {})) == NOTHING


def test_all_faults_of_a_policy_are_told():
    with pytest.raises(AuditPolicyError, match="it must be audit.k8s.io/v1, Kind=Policy"):
        parse_policy({"kind": "Policy", "apiVersion": "v1", "rules": []})
    with pytest.raises(AuditPolicyError, match="is an object"):
        parse_policy(None)
    rule = {"level": "All", "omitStages": ["Never"], "nonResourceURLs": ["x", "/*/a"], "namespaces": ["n"]}
    with pytest.raises(AuditPolicyError) as error:
        parse_policy({"kind": "Policy", "apiVersion": "audit.k8s.io/v1", "rules": [rule]})
    assert [line.partition(":")[0] for line in str(error.value).splitlines()] == [
        "rules[0].level",
        "rules[0].omitStages[0]",
        "rules[0].nonResourceURLs",
        "rules[0].nonResourceURLs[0]",
        "rules[0].nonResourceURLs[1]",
    ]
    with pytest.raises(AuditPolicyError, match="rules: Required value"):
        parse_policy({"kind": "Policy", "apiVersion": "audit.k8s.io/v1"})
