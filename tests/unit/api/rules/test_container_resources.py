import pytest

from minikube_py.api.rules.container_resources import overcommits, validate_resources


@pytest.mark.parametrize(
    ("resources", "faults"),
    [
        ({}, []),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1"}}, []),
        ({"limits": {"cpu": "-1"}}, [("r.limits[cpu]", "must be greater than or equal to 0")]),
        (
            {"limits": {"cpu": "1"}, "requests": {"cpu": "2"}},
            [("r.requests", "must be less than or equal to cpu limit of 1")],
        ),
        (
            {"limits": {"e.com/x": "2"}, "requests": {"e.com/x": "1"}},
            [("r.requests", "must be equal to e.com/x limit of 2")],
        ),
        ({"requests": {"e.com/x": "1"}}, [("r.requests", "limit must be set for non overcommitable resources")]),
        ({"limits": {"e.com/x": "500m"}}, [("r.limits[e.com/x]", "must be an integer")]),
        ({"limits": {"hugepages-2Mi": "2Mi"}}, [("r", "HugePages require cpu or memory")]),
        (
            {"limits": {"foo": "1"}},
            [
                ("r.limits[foo]", "must be a standard resource type or fully qualified"),
                ("r.limits[foo]", "must be a standard resource for containers"),
            ],
        ),
    ],
    ids=str,
)
def test_each_fault_names_its_field(resources, faults):
    assert [(f.field, f.detail) for f in validate_resources(resources, "r")] == faults


def test_only_what_the_node_shares_can_be_promised_twice():
    assert overcommits("cpu")
    assert overcommits("kubernetes.io/x")
    assert not overcommits("hugepages-2Mi")
    assert not overcommits("nvidia.com/gpu")
