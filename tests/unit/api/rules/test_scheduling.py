import pytest

from minikube_py.api.rules.scheduling import validate_scheduling, validate_tolerations

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def found(**spec):
    return [(f.field, f.reason.removeprefix("FieldValue")) for f in validate_scheduling(spec, "s")]


def node_fields(**requirement):
    return {"affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{"matchFields": [requirement]}]}}}}


FIELDS = f"s.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0].matchFields[0]"


@pytest.mark.parametrize(
    ("spec", "faults"),
    [
        (node_fields(key="metadata.name", operator="In", values=["n"]), []),
        (node_fields(key="metadata.name", operator="Exists"), [(f"{FIELDS}.operator", "Invalid")]),
        (node_fields(key="metadata.name", operator="In", values=["a", "b"]), [(f"{FIELDS}.values", "Required")]),
        (
            node_fields(key="x", operator="In", values=["A"]),
            [(f"{FIELDS}.key", "Invalid"), (f"{FIELDS}.values[0]", "Invalid")],
        ),
        (
            {"affinity": {"podAffinity": {PREFERRED: [{"weight": 101, "podAffinityTerm": {"topologyKey": "a"}}]}}},
            [(f"s.affinity.podAffinity.{PREFERRED}[0].weight", "Invalid")],
        ),
        (
            {"affinity": {"podAntiAffinity": {REQUIRED: [{"topologyKey": "a", "namespaces": ["A"]}]}}},
            [(f"s.affinity.podAntiAffinity.{REQUIRED}[0].namespaces[0]", "Invalid")],
        ),
        ({"schedulingGates": [{"name": "a"}, {"name": "a"}]}, [("s.schedulingGates[1]", "Duplicate")]),
        (
            {
                "topologySpreadConstraints": [
                    {"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"}
                ]
                * 2
            },
            [("s.topologySpreadConstraints[1].{topologyKey, whenUnsatisfiable}", "Duplicate")],
        ),
        (
            {
                "topologySpreadConstraints": [
                    {
                        "maxSkew": 1,
                        "topologyKey": "a",
                        "whenUnsatisfiable": "DoNotSchedule",
                        "minDomains": 0,
                        "nodeTaintsPolicy": "x",
                    }
                ]
            },
            [
                ("s.topologySpreadConstraints[0].minDomains", "Invalid"),
                ("s.topologySpreadConstraints[0].nodeTaintsPolicy", "NotSupported"),
            ],
        ),
    ],
    ids=str,
)
def test_each_fault_names_its_field(spec, faults):
    assert found(**spec) == faults


@pytest.mark.parametrize(
    ("toleration", "fields"),
    [
        ({"operator": "Exists"}, []),
        ({"key": "a", "value": "b", "effect": "NoExecute", "tolerationSeconds": 0}, []),
        ({"key": "a b", "operator": "Exists"}, ["s.tolerations[0].key"]),
        ({"key": "a", "operator": "Like"}, ["s.tolerations[0].operator"]),
        ({"key": "a", "value": "b c"}, ["s.tolerations[0].operator"]),
    ],
    ids=str,
)
def test_each_fault_of_a_toleration_names_its_field(toleration, fields):
    assert [f.field for f in validate_tolerations({"tolerations": [toleration]}, "s")] == fields
