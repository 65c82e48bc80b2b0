from minikube_py.api.meta import ObjectKey
from minikube_py.api.table.admissionregistration_v1 import VALIDATING_POLICIES
from minikube_py.controllers.plan import NOTHING, Patch, Plan
from minikube_py.controllers.policy_status import PolicyView, reconcile

RULE = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}


def a_policy(expression, **status):
    return {
        "metadata": {"name": "p", "uid": "u", "generation": 3},
        "spec": {"matchConstraints": {"resourceRules": [RULE]}, "validations": [{"expression": expression}]},
        "status": status,
    }


def status_of(plan):
    (patch,) = plan.actions
    assert isinstance(patch, Patch)
    assert (patch.resource, patch.key, patch.subresource) == (VALIDATING_POLICIES, ObjectKey("", "p"), "status")
    return patch.patch["status"]


def test_each_generation_is_looked_at_once():
    assert reconcile(PolicyView(a_policy("true", observedGeneration=3), ()), 0) == NOTHING == Plan()
    status = status_of(reconcile(PolicyView(a_policy("true", observedGeneration=2), ()), 0))
    assert status == {"observedGeneration": 3, "typeChecking": {"expressionWarnings": None}}


def test_mistakes_about_kinds_are_warned_of():
    status = status_of(reconcile(PolicyView(a_policy("object.spec.contaners.size() > 0"), ()), 0))
    (warning,) = status["typeChecking"]["expressionWarnings"]
    assert warning["fieldRef"] == "spec.validations[0].expression"
    assert "v1, Kind=Pod: ERROR" in warning["warning"]
