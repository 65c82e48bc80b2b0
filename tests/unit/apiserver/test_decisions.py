from minikube_py.api.errors import FieldError
from minikube_py.api.resources import PODS
from minikube_py.apiserver.decisions import complete_nothing, reject_invalid


def test_faults_become_one_refusal_that_names_the_object():
    rejected = reject_invalid(PODS, {"metadata": {"name": "p"}}, (FieldError("FieldValueRequired", "spec"),))
    assert rejected.error.code == 422
    assert rejected.error.message == 'Pod "p" is invalid: spec: Required value'


def test_most_resources_are_given_nothing():
    obj = {"metadata": {"name": "p"}}
    assert complete_nothing(obj, None) == ()
    assert obj == {"metadata": {"name": "p"}}
