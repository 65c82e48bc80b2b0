"""Columns of bindings; Roles have the default ones (upstream: printers printRoleBinding)."""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.columns.ages import AGE, NAME
from minikube_py.api.columns.cells import at
from minikube_py.api.resource import Column


def _subjects(binding: Mapping[str, Any], kind: str) -> str:
    subjects = [subject for subject in binding.get("subjects") or () if subject.get("kind") == kind]
    if kind == "ServiceAccount":
        return ", ".join(f"{subject.get('namespace', '')}/{subject.get('name')}" for subject in subjects)
    return ", ".join(str(subject.get("name")) for subject in subjects)


BINDING_COLUMNS = (
    NAME,
    Column(
        "Role",
        lambda obj, _: f"{at(obj, 'roleRef', 'kind')}/{at(obj, 'roleRef', 'name')}",
        description="The role whose rules are granted.",
    ),
    AGE,
    Column("Users", lambda obj, _: _subjects(obj, "User"), description="Users that have the role.", priority=1),
    Column("Groups", lambda obj, _: _subjects(obj, "Group"), description="Groups that have the role.", priority=1),
    Column(
        "ServiceAccounts",
        lambda obj, _: _subjects(obj, "ServiceAccount"),
        description="Service accounts that have the role.",
        priority=1,
    ),
)
