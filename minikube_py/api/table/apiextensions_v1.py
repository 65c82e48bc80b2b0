"""The row of apiextensions.k8s.io/v1."""

from minikube_py.api.columns.apiextensions_v1 import CUSTOM_RESOURCE_DEFINITION_COLUMNS
from minikube_py.api.resource import Resource
from minikube_py.api.rules.apiextensions import CLEANUP_FINALIZER
from minikube_py.api.table.parts import rules_in, status, status_rules_in

CUSTOM_RESOURCE_DEFINITIONS = Resource(
    group="apiextensions.k8s.io",
    version="v1",
    kind="CustomResourceDefinition",
    plural="customresourcedefinitions",
    singular="customresourcedefinition",
    namespaced=False,
    rules=rules_in("definitions", "CUSTOM_RESOURCE_DEFINITION_RULES", folder="custom"),
    columns=CUSTOM_RESOURCE_DEFINITION_COLUMNS,
    short_names=("crd", "crds"),
    categories=("api-extensions",),
    subresources=(status("CustomResourceDefinition"),),
    status_alone=True,
    has_generation=True,
    unconditional_update=False,
    finalizers_on_delete=(CLEANUP_FINALIZER,),
    validate_status=status_rules_in("apiextensions"),
)

ROWS = (CUSTOM_RESOURCE_DEFINITIONS,)
