"""The row of policy/v1."""

from minikube_py.api.columns.policy_v1 import BUDGET_COLUMNS
from minikube_py.api.resource import Resource
from minikube_py.api.rules.policy import BUDGET_RULES
from minikube_py.api.table.parts import status

DISRUPTION_BUDGETS = Resource(
    group="policy",
    version="v1",
    kind="PodDisruptionBudget",
    plural="poddisruptionbudgets",
    singular="poddisruptionbudget",
    namespaced=True,
    rules=BUDGET_RULES,
    columns=BUDGET_COLUMNS,
    short_names=("pdb",),
    subresources=(status("PodDisruptionBudget"),),
    has_generation=True,
)

ROWS = (DISRUPTION_BUDGETS,)
