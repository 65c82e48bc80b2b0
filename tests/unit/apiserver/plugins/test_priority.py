import pytest

from minikube_py.api.errors import ForbiddenError
from minikube_py.api.resources import PODS, PRIORITY_CLASSES
from minikube_py.testing.built_in_admission import DictLookups, Request, admit


def classes(*found):
    lookups = DictLookups()
    for name, value, *more in found:
        obj = {"metadata": {"name": name}, "value": value, "globalDefault": "default" in more}
        lookups.add(PRIORITY_CLASSES, obj | ({"preemptionPolicy": "Never"} if "never" in more else {}))
    return lookups


def a_pod(**spec):
    return {"metadata": {"name": "p", "namespace": "n"}, "spec": spec}


def test_a_pod_gets_the_priority_of_its_class():
    made = admit(Request(PODS), a_pod(priorityClassName="high"), classes(("high", 1000, "never")))
    assert (made["spec"]["priority"], made["spec"]["preemptionPolicy"]) == (1000, "Never")


def test_a_pod_without_a_class_gets_the_default_one_the_lowest_of_several():
    both = classes(("a", 7, "default"), ("b", 5, "default"), ("c", 1))
    assert admit(Request(PODS), a_pod(), both)["spec"]["priorityClassName"] == "b"
    spec = admit(Request(PODS), a_pod())["spec"]
    assert (spec["priority"], spec["preemptionPolicy"]) == (0, "PreemptLowerPriority")
    assert "priorityClassName" not in spec


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"priorityClassName": "none"}, 'pods "p" is forbidden: no PriorityClass with name none was found'),
        ({"priority": 5}, r"the integer value of priority \(5\) must not be .* computed 0 from"),
        ({"preemptionPolicy": "Never"}, r"the string value of PreemptionPolicy \(Never\) .* computed PreemptLower"),
    ],
)
def test_what_does_not_follow_from_the_class_is_refused(spec, why):
    with pytest.raises(ForbiddenError, match=why):
        admit(Request(PODS), a_pod(**spec))


def test_an_update_keeps_the_priority():
    old = a_pod(priority=7, preemptionPolicy="Never")
    spec = admit(Request(PODS, "UPDATE"), a_pod(), old=old)["spec"]
    assert (spec["priority"], spec["preemptionPolicy"]) == (7, "Never")


def test_there_is_one_default_class_and_system_classes_stay():
    marked = classes(("a", 1, "default"))
    obj = {"metadata": {"name": "b"}, "value": 1, "globalDefault": True}
    with pytest.raises(ForbiddenError, match=r"PriorityClass a is already marked as default\. Only one default"):
        admit(Request(PRIORITY_CLASSES), obj, marked)
    own = {"metadata": {"name": "a"}, "value": 1, "globalDefault": True}
    assert admit(Request(PRIORITY_CLASSES, "UPDATE"), own, marked) == own
    system = {"metadata": {"name": "system-node-critical"}}
    with pytest.raises(ForbiddenError, match="this is a system priority class and cannot be deleted"):
        admit(Request(PRIORITY_CLASSES, "DELETE"), {}, old=system)
