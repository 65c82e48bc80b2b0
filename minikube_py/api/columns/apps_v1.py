"""Columns of the apps group's kinds (upstream: printers/internalversion printReplicaSet, printDeployment)."""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.columns.ages import AGE, NAME, NONE
from minikube_py.api.columns.cells import number
from minikube_py.api.columns.workloads import CONTAINERS, IMAGES, SELECTOR, format_labels, spec_of, status_of
from minikube_py.api.meta import controller_of
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


def _node_selector(daemon_set: Mapping[str, Any], _: float) -> str:
    return format_labels(spec_of(spec_of(daemon_set).get("template") or {}).get("nodeSelector"))


DAEMON_SET_COLUMNS = (
    NAME,
    number("Desired", "status.desiredNumberScheduled", "How many nodes should run the pod."),
    number("Current", "status.currentNumberScheduled", "How many nodes run the pod and should."),
    number("Ready", "status.numberReady", "How many nodes run a ready pod."),
    number("Up-to-date", "status.updatedNumberScheduled", "How many nodes run the newest template."),
    number("Available", "status.numberAvailable", "How many nodes run a pod that has been ready for long enough."),
    Column("Node Selector", _node_selector, description="On which nodes the pods run."),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
)
STATEFUL_SET_COLUMNS = (
    NAME,
    Column("Ready", _deployment_ready, description="Ready pods of those that there shall be."),
    AGE,
    CONTAINERS,
    IMAGES,
)


def _controller(revision: Mapping[str, Any], _: float) -> str:
    owner = controller_of(revision)
    if owner is None:
        return NONE
    group = str(owner.get("apiVersion", "")).rpartition("/")[0]
    kind = str(owner.get("kind", "")).lower()
    return f"{kind}.{group}/{owner.get('name')}" if group else f"{kind}/{owner.get('name')}"


REVISION_COLUMNS = (
    NAME,
    Column("Controller", _controller, description="Whose template the revision holds."),
    Column("Revision", lambda obj, _: obj.get("revision") or 0, description="Which revision it is, counted up."),
    AGE,
)
