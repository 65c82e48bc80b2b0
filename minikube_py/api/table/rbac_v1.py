"""The rows of rbac.authorization.k8s.io/v1."""

from minikube_py.api.columns.cells import DEFAULT_COLUMNS
from minikube_py.api.columns.rbac_v1 import BINDING_COLUMNS
from minikube_py.api.resource import Resource
from minikube_py.api.rules.rbac import CLUSTER_ROLE_BINDING_RULES, CLUSTER_ROLE_RULES, ROLE_BINDING_RULES, ROLE_RULES

ROLES = Resource(
    group="rbac.authorization.k8s.io",
    version="v1",
    kind="Role",
    plural="roles",
    singular="role",
    namespaced=True,
    rules=ROLE_RULES,
    columns=DEFAULT_COLUMNS,
)
ROLE_BINDINGS = Resource(
    group="rbac.authorization.k8s.io",
    version="v1",
    kind="RoleBinding",
    plural="rolebindings",
    singular="rolebinding",
    namespaced=True,
    rules=ROLE_BINDING_RULES,
    columns=BINDING_COLUMNS,
)
CLUSTER_ROLES = Resource(
    group="rbac.authorization.k8s.io",
    version="v1",
    kind="ClusterRole",
    plural="clusterroles",
    singular="clusterrole",
    namespaced=False,
    rules=CLUSTER_ROLE_RULES,
    columns=DEFAULT_COLUMNS,
)
CLUSTER_ROLE_BINDINGS = Resource(
    group="rbac.authorization.k8s.io",
    version="v1",
    kind="ClusterRoleBinding",
    plural="clusterrolebindings",
    singular="clusterrolebinding",
    namespaced=False,
    rules=CLUSTER_ROLE_BINDING_RULES,
    columns=BINDING_COLUMNS,
)

ROWS = (
    ROLES,
    ROLE_BINDINGS,
    CLUSTER_ROLES,
    CLUSTER_ROLE_BINDINGS,
)
