import pytest

from minikube_py.api.meta import copy_object
from minikube_py.api.rules.apps import DEPLOYMENT_RULES, REPLICA_SET_RULES

TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}


def workload(rules, **spec):
    obj = {"metadata": {"name": "w"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE, **spec}}
    obj = copy_object(obj)
    rules.set_defaults(obj)
    rules.prepare_create(obj)
    return obj


def test_zero_replicas_stay_zero():
    assert workload(DEPLOYMENT_RULES, replicas=0)["spec"]["replicas"] == 0


def test_recreate_gets_no_rolling_update():
    assert workload(DEPLOYMENT_RULES, strategy={"type": "Recreate"})["spec"]["strategy"] == {"type": "Recreate"}


def test_what_was_written_of_a_rolling_update_stays():
    strategy = workload(DEPLOYMENT_RULES, strategy={"rollingUpdate": {"maxSurge": 0}})["spec"]["strategy"]

    assert strategy["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": "25%"}


def test_the_status_is_not_the_clients():
    assert workload(DEPLOYMENT_RULES)["status"] == {}
    assert workload(REPLICA_SET_RULES)["status"] == {"replicas": 0}


@pytest.mark.parametrize("rules", [DEPLOYMENT_RULES, REPLICA_SET_RULES], ids=["deployment", "replicaset"])
def test_the_selector_stays(rules):
    old, new = workload(rules), workload(rules)
    new["spec"]["selector"] = {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "a", "operator": "Exists"}]}

    assert [(f.field, f.detail) for f in rules.validate_update(new, old)] == [("spec.selector", "field is immutable")]


@pytest.mark.parametrize(
    ("rolling", "field"),
    [
        ({"maxSurge": "0%", "maxUnavailable": 0}, "maxUnavailable"),
        ({"maxUnavailable": -1}, "maxUnavailable"),
        ({"maxSurge": "x"}, "maxSurge"),
        ({"maxUnavailable": "101%"}, "maxUnavailable"),
    ],
    ids=str,
)
def test_a_rolling_update_must_be_able_to_move(rolling, field):
    faults = DEPLOYMENT_RULES.validate(workload(DEPLOYMENT_RULES, strategy={"rollingUpdate": rolling}))

    assert [f.field for f in faults] == [f"spec.strategy.rollingUpdate.{field}"]


def test_more_than_all_may_surge():
    assert (
        DEPLOYMENT_RULES.validate(workload(DEPLOYMENT_RULES, strategy={"rollingUpdate": {"maxSurge": "200%"}})) == ()
    )


def test_pods_of_a_replica_set_run_without_a_deadline():
    template = copy_object(TEMPLATE)
    template["spec"]["activeDeadlineSeconds"] = 5

    (fault,) = REPLICA_SET_RULES.validate(workload(REPLICA_SET_RULES, template=template))
    assert (fault.field, fault.reason) == ("spec.template.spec.activeDeadlineSeconds", "FieldValueForbidden")
