"""Cells of Lease."""

from minikube_py.api.columns.coordination_v1 import LEASE_COLUMNS


def test_a_lease_names_its_holder():
    held = {"metadata": {"name": "lease"}, "spec": {"holderIdentity": "me"}}

    assert [column.cell(held, 0.0) for column in LEASE_COLUMNS] == ["lease", "me", "<unknown>"]
    assert LEASE_COLUMNS[1].cell({"metadata": {"name": "free"}}, 0.0) == ""
