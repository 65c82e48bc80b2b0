"""The row of policy/v1."""

from minikube_py.api.columns.policy_v1 import BUDGET_COLUMNS
from minikube_py.api.resource import Resource
from minikube_py.api.table.parts import rules_in, status, status_rules_in

DISRUPTION_BUDGETS = Resource(
    group="policy",
    version="v1",
    kind="PodDisruptionBudget",
    plural="poddisruptionbudgets",
    singular="poddisruptionbudget",
    namespaced=True,
    rules=rules_in("policy", "BUDGET_RULES"),
    columns=BUDGET_COLUMNS,
    short_names=("pdb",),
    subresources=(status("PodDisruptionBudget"),),
    has_generation=True,
    validate_status=status_rules_in("policy"),
)

ROWS = (DISRUPTION_BUDGETS,)
