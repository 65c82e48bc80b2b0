"""The flow control objects of a new cluster."""

from minikube_py.api.resources import FLOW_SCHEMAS, PRIORITY_LEVELS
from minikube_py.apiserver.flow_objects import MANDATORY, flow_schemas, priority_levels


def test_they_are_valid_and_need_no_defaults():
    for resource, objects in ((PRIORITY_LEVELS, priority_levels()), (FLOW_SCHEMAS, flow_schemas())):
        for obj in objects:
            before = repr(obj)
            resource.rules.set_defaults(obj)
            assert repr(obj) == before
            assert resource.rules.validate(obj) == (), obj["metadata"]["name"]


def test_every_schema_names_a_level_that_is_there_and_the_mandatory_ones_are_among_them():
    levels = {level["metadata"]["name"] for level in priority_levels()}
    schemas = flow_schemas()

    assert {schema["spec"]["priorityLevelConfiguration"]["name"] for schema in schemas} == levels
    assert set(MANDATORY) <= levels & {schema["metadata"]["name"] for schema in schemas}
    precedences = [schema["spec"]["matchingPrecedence"] for schema in schemas]
    assert precedences == sorted(precedences)
    assert precedences[-1] == 10000
