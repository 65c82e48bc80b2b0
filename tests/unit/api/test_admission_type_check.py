from minikube_py.api.admission_type_check import matched_rows, shape_of, type_warnings
from minikube_py.api.resources import DEPLOYMENTS, PODS, find_resource


def a_rule(group, version, *plurals):
    return {"apiGroups": [group], "apiVersions": [version], "resources": list(plurals)}


RULES = (a_rule("apps", "v1", "deployments"),)


def a_spec(*texts, rules=RULES):
    return {
        "matchConstraints": {"resourceRules": list(rules)},
        "validations": [{"expression": text} for text in texts],
    }


def test_a_field_that_is_not_there_is_told_with_the_kind():
    (warning,) = type_warnings(a_spec("object.spec.replicas > 1", "object.spec.replica > 1"), find_resource)
    assert warning["fieldRef"] == "spec.validations[1].expression"
    assert warning["warning"].startswith("apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'replica'")


def test_values_of_types_that_do_not_go_together_are_told():
    (warning,) = type_warnings(a_spec("object.spec.replicas > '1'"), find_resource)
    assert "found no matching overload for '_>_' applied to '(int, string)'" in warning["warning"]


def test_what_is_right_or_cannot_be_known_is_not_told():
    texts = (
        "object.metadata.labels.app == 'x'",
        "object.spec.template.spec.containers.all(c, c.image.startsWith('a'))",
        "object.spec.strategy.rollingUpdate.maxSurge == 1",
        "oldObject == null || object.metadata.creationTimestamp > timestamp('2020-01-01T00:00:00Z')",
    )
    assert type_warnings(a_spec(*texts), find_resource) == ()
    assert type_warnings(a_spec("object.nothing", rules=(a_rule("*", "v1", "pods"),)), find_resource) == ()


def test_only_kinds_that_are_named_are_checked():
    rules = (a_rule("", "v1", "pods", "pods/status", "*"), a_rule("apps", "v1", "deployments", "unknown"))
    assert matched_rows(a_spec(rules=rules), find_resource) == (PODS, DEPLOYMENTS)
    shape = shape_of(PODS)
    assert shape.field("spec").field("containers").item().field("name").kind == "string"
    assert shape.field("specs") is None
