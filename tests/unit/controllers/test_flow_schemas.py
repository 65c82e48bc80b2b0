"""FlowSchemas say whether their priority level is there."""

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import FLOW_SCHEMAS, PRIORITY_LEVELS
from minikube_py.client.interface import EVERYTHING, Change
from minikube_py.controllers.flow_schemas import observe, reconcile, spec
from minikube_py.controllers.plan import Item, Listers
from minikube_py.testing.fake_informers import FakeInformer

ITEM = Item(FLOW_SCHEMAS.qualified, ObjectKey("", "s"))
LEVEL = {"metadata": {"name": "l"}}


def schema(**status):
    return {"metadata": {"name": "s"}, "spec": {"priorityLevelConfiguration": {"name": "l"}}, "status": status}


def listers(schema_, *levels):
    rows = ((FLOW_SCHEMAS, [schema_]), (PRIORITY_LEVELS, levels))
    return Listers({row.qualified: FakeInformer(row, EVERYTHING, objects, 1) for row, objects in rows})


def said(schema_, *levels):
    actions = reconcile(observe(listers(schema_, *levels), ITEM, None), 0.0).actions
    return actions[0].obj["status"] if actions else None


def test_it_is_found_or_dangling_and_says_so_once():
    found, dangling = said(schema(), LEVEL), said(schema())

    assert [(c["type"], c["status"], c["reason"]) for c in found["conditions"]] == [("Dangling", "False", "Found")]
    assert [(c["status"], c["reason"]) for c in dangling["conditions"]] == [("True", "NotFound")]
    assert said(schema(**found), LEVEL) is None
    assert said(schema(**found))["conditions"][0]["status"] == "True"


def test_a_level_that_comes_or_goes_concerns_those_that_name_it():
    _, levels = spec().watches
    there = listers(schema())

    assert levels.items(Change(None, LEVEL), there) == [ITEM]
    assert levels.items(Change(LEVEL, None), there) == [ITEM]
    assert levels.items(Change(LEVEL, LEVEL), there) == ()
    assert levels.items(Change(None, {"metadata": {"name": "x"}}), there) == []
    going = {**schema(), "metadata": {"name": "s", "deletionTimestamp": "t"}}
    assert observe(listers(going), ITEM, None) is None
