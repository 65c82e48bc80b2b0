# ruff: noqa: E501  # an expression stands on one line
import pytest

from minikube_py.api.cel.expressions import COST_MAX, compile_expression
from minikube_py.api.cel.library_authorizer import AuthorizerValue, Question, Verdict
from minikube_py.api.cel.values import Budget, NoOverloadError


def asked(source):
    questions = []

    def ask(question):
        questions.append(question)
        return Verdict(question.verb == "get", "because")

    expression = compile_expression(source, ("authorizer",))
    return expression.evaluate({"authorizer": AuthorizerValue(ask)}, Budget(COST_MAX)), questions


def test_a_question_is_put_together_step_by_step():
    source = "authorizer.group('apps').resource('deployments').subresource('scale').namespace('n').name('x').check('get').allowed()"
    answer, questions = asked(source)
    assert answer is True
    assert questions == [Question("get", "", "apps", "deployments", "scale", "n", "x")]


def test_paths_and_service_accounts_can_be_asked_for():
    answer, questions = asked("authorizer.serviceAccount('n', 'a').path('/healthz').check('list').reason()")
    assert answer == "because"
    assert questions == [Question("list", "/healthz", user="n:a")]


@pytest.mark.parametrize(
    "source",
    [
        "authorizer.check('get').allowed()",
        "authorizer.resource('pods').check('get').allowed()",
        "authorizer.path('/x').namespace('n').check('get').allowed()",
        "'x'.allowed()",
    ],
)
def test_steps_out_of_order_have_no_overload(source):
    with pytest.raises(NoOverloadError):
        asked(source)
