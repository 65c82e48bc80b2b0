import pytest

from minikube_py.api.rules.coordination import LEASE_RULES


def lease(**spec):
    return {"metadata": {"name": "l"}, "spec": spec}


@pytest.mark.parametrize(
    ("spec", "fields"),
    [
        ({"leaseDurationSeconds": 1, "leaseTransitions": 0, "holderIdentity": "Any Text"}, []),
        ({"leaseDurationSeconds": 0}, ["spec.leaseDurationSeconds"]),
        ({"leaseTransitions": -1}, ["spec.leaseTransitions"]),
        ({"strategy": "a b"}, ["spec.strategy"]),
    ],
    ids=str,
)
def test_each_fault_names_its_field(spec, fields):
    assert [f.field for f in LEASE_RULES.validate(lease(**spec))] == fields
    assert [f.field for f in LEASE_RULES.validate_update(lease(**spec), lease())] == fields


def test_a_lease_always_has_a_spec():
    obj = {"metadata": {"name": "l"}}
    LEASE_RULES.set_defaults(obj)

    assert obj["spec"] == {}
