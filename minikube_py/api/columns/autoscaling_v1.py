"""Columns of autoscaling/v1 Scale, which every kind with /scale is shown as there (upstream: printScale)."""

from minikube_py.api.columns.ages import AGE, NAME
from minikube_py.api.columns.cells import number

SCALE_COLUMNS = (
    NAME,
    number("Desired", "spec.replicas", "How many replicas are wanted."),
    number("Available", "status.replicas", "How many replicas there are."),
    AGE,
)
