"""The row of apiextensions.k8s.io/v1."""

from minikube_py.api.columns.apiextensions_v1 import CUSTOM_RESOURCE_DEFINITION_COLUMNS
from minikube_py.api.custom import definitions
from minikube_py.api.resource import Resource
from minikube_py.api.table.parts import status

CUSTOM_RESOURCE_DEFINITIONS = Resource(
    group="apiextensions.k8s.io",
    version="v1",
    kind="CustomResourceDefinition",
    plural="customresourcedefinitions",
    singular="customresourcedefinition",
    namespaced=False,
    rules=definitions.CUSTOM_RESOURCE_DEFINITION_RULES,
    columns=CUSTOM_RESOURCE_DEFINITION_COLUMNS,
    short_names=("crd", "crds"),
    categories=("api-extensions",),
    subresources=(status("CustomResourceDefinition"),),
    status_alone=True,
    has_generation=True,
    unconditional_update=False,
    finalizers_on_delete=(definitions.CLEANUP_FINALIZER,),
    validate_status=definitions.validate_status,
)

ROWS = (CUSTOM_RESOURCE_DEFINITIONS,)
