"""Columns of PodDisruptionBudgets (upstream: printers printPodDisruptionBudget)."""

from minikube_py.api.columns.ages import AGE, NAME
from minikube_py.api.columns.cells import number, text

BUDGET_COLUMNS = (
    NAME,
    text("Min Available", "spec.minAvailable", "So many pods must stay.", missing="N/A"),
    text("Max Unavailable", "spec.maxUnavailable", "So many pods may be missing.", missing="N/A"),
    number("Allowed Disruptions", "status.disruptionsAllowed", "How many pods may be taken away now."),
    AGE,
)
