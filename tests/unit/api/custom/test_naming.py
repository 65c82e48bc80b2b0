from minikube_py.api.custom.naming import set_condition, settle_names
from minikube_py.api.meta import copy_object
from minikube_py.testing.custom_objects import a_definition


def conditions(crd):
    return {c["type"]: (c["status"], c["reason"]) for c in crd["status"]["conditions"]}


def settled(crd, *others, wall_s=0.0):
    settle_names(crd, others, wall_s)
    return crd


def a_rival(kind="Widget", plural="gadgets", short="wd"):
    crd = a_definition(
        names={
            "plural": plural,
            "singular": plural[:-1],
            "kind": kind,
            "listKind": f"{kind}List",
            "shortNames": [short],
        }
    )
    crd["metadata"]["name"] = f"{plural}.ex.io"
    return crd


def test_free_names_are_accepted_and_the_definition_is_established():
    crd = settled(a_definition())
    assert conditions(crd) == {
        "NamesAccepted": ("True", "NoConflicts"),
        "Established": ("True", "InitialNamesAccepted"),
    }
    assert crd["status"]["acceptedNames"]["plural"] == "widgets"
    assert crd["status"]["acceptedNames"]["shortNames"] == ["wd"]


def test_a_taken_kind_is_refused():
    first = settled(a_definition())
    second = settled(a_rival(), first)
    assert conditions(second) == {
        "NamesAccepted": ("False", "KindConflict"),
        "Established": ("False", "NotAccepted"),
    }
    assert second["status"]["conditions"][0]["message"] == '"Widget" is already in use'


def test_a_taken_short_name_is_refused_too():
    second = settled(a_rival(kind="Gadget"), settled(a_definition()))
    assert conditions(second)["NamesAccepted"] == ("False", "ShortNamesConflict")


def test_another_group_has_names_of_its_own():
    other = settled(a_definition(group="other.io"))
    assert conditions(settled(a_definition(), other))["NamesAccepted"] == ("True", "NoConflicts")


def test_names_that_become_free_are_given():
    first = settled(a_definition())
    second = settled(a_rival(), first)
    settle_names(second, (second,), 5.0)
    assert conditions(second)["Established"] == ("True", "InitialNamesAccepted")


def test_what_is_established_stays_so_when_a_new_name_is_taken():
    first = settled(a_definition())
    second = settled(a_rival(kind="Gadget", short="gd"), first)
    second["spec"]["names"]["shortNames"] = ["wd"]
    settle_names(second, (first,), 1.0)
    assert conditions(second) == {
        "NamesAccepted": ("False", "ShortNamesConflict"),
        "Established": ("True", "InitialNamesAccepted"),
    }
    assert second["status"]["acceptedNames"]["shortNames"] == ["gd"]


def test_a_condition_keeps_its_time_while_its_status_stays():
    crd = settled(a_definition())
    before = copy_object(crd["status"]["conditions"][0])
    set_condition(crd, "NamesAccepted", "True", "NoConflicts", "no conflicts found", 100.0)
    assert crd["status"]["conditions"][0] == before
    set_condition(crd, "NamesAccepted", "False", "X", "y", 100.0)
    assert crd["status"]["conditions"][0]["lastTransitionTime"] == "1970-01-01T00:01:40Z"
