"""Columns of the apps group's kinds (upstream: printers/internalversion printReplicaSet, printDeployment)."""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.columns.ages import AGE, NAME
from minikube_py.api.columns.workloads import CONTAINERS, IMAGES, SELECTOR, spec_of, status_of
from minikube_py.api.resource import Column


def _deployment_ready(deployment: Mapping[str, Any], _: float) -> str:
    return f"{status_of(deployment).get('readyReplicas', 0)}/{spec_of(deployment).get('replicas', 0)}"


REPLICA_SET_COLUMNS = (
    NAME,
    Column(
        "Desired",
        lambda obj, _: spec_of(obj).get("replicas", 0),
        type="integer",
        description="How many pods there shall be.",
    ),
    Column(
        "Current",
        lambda obj, _: status_of(obj).get("replicas", 0),
        type="integer",
        description="How many pods there are.",
    ),
    Column(
        "Ready",
        lambda obj, _: status_of(obj).get("readyReplicas", 0),
        type="integer",
        description="How many pods are ready.",
    ),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
)
DEPLOYMENT_COLUMNS = (
    NAME,
    Column("Ready", _deployment_ready, description="Ready pods of those that there shall be."),
    Column(
        "Up-to-date",
        lambda obj, _: status_of(obj).get("updatedReplicas", 0),
        description="How many pods have the newest template.",
    ),
    Column(
        "Available",
        lambda obj, _: status_of(obj).get("availableReplicas", 0),
        description="How many pods have been ready for long enough.",
    ),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
)
