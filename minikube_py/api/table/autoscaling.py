"""The rows of autoscaling/v1 and v2: one kind in two spellings; v2 is stored."""

from dataclasses import replace

from minikube_py.api.columns.autoscaling_v2 import AUTOSCALER_COLUMNS, AUTOSCALER_V1_COLUMNS
from minikube_py.api.resource import Resource, StoredAs
from minikube_py.api.rules import autoscaling_v1
from minikube_py.api.rules.autoscaling import AUTOSCALER_RULES
from minikube_py.api.rules.rule_sets import convert_rules
from minikube_py.api.table.parts import status, status_rules_in

AUTOSCALERS = Resource(
    group="autoscaling",
    version="v2",
    kind="HorizontalPodAutoscaler",
    plural="horizontalpodautoscalers",
    singular="horizontalpodautoscaler",
    namespaced=True,
    rules=AUTOSCALER_RULES,
    columns=AUTOSCALER_COLUMNS,
    short_names=("hpa",),
    categories=("all",),
    subresources=(status("HorizontalPodAutoscaler"),),
    validate_status=status_rules_in("status_workloads", "validate_autoscaler"),
)
AUTOSCALERS_V1 = replace(
    AUTOSCALERS,
    version="v1",
    rules=convert_rules(AUTOSCALER_RULES, autoscaling_v1.to_v2, autoscaling_v1.from_v2, autoscaling_v1.set_defaults),
    columns=AUTOSCALER_V1_COLUMNS,
    stored_as=StoredAs(AUTOSCALERS, autoscaling_v1.to_v2, autoscaling_v1.from_v2),
)

ROWS = (
    AUTOSCALERS,
    AUTOSCALERS_V1,
)
