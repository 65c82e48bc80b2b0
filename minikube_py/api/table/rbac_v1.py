"""The rows of rbac.authorization.k8s.io/v1."""

from minikube_py.api.columns.cells import DEFAULT_COLUMNS
from minikube_py.api.columns.rbac_v1 import BINDING_COLUMNS
from minikube_py.api.resource import Resource
from minikube_py.api.table.parts import rules_in

ROLES = Resource(
    group="rbac.authorization.k8s.io",
    version="v1",
    kind="Role",
    plural="roles",
    singular="role",
    namespaced=True,
    rules=rules_in("rbac", "ROLE_RULES"),
    columns=DEFAULT_COLUMNS,
)
ROLE_BINDINGS = Resource(
    group="rbac.authorization.k8s.io",
    version="v1",
    kind="RoleBinding",
    plural="rolebindings",
    singular="rolebinding",
    namespaced=True,
    rules=rules_in("rbac", "ROLE_BINDING_RULES"),
    columns=BINDING_COLUMNS,
)
CLUSTER_ROLES = Resource(
    group="rbac.authorization.k8s.io",
    version="v1",
    kind="ClusterRole",
    plural="clusterroles",
    singular="clusterrole",
    namespaced=False,
    rules=rules_in("rbac", "CLUSTER_ROLE_RULES"),
    columns=DEFAULT_COLUMNS,
)
CLUSTER_ROLE_BINDINGS = Resource(
    group="rbac.authorization.k8s.io",
    version="v1",
    kind="ClusterRoleBinding",
    plural="clusterrolebindings",
    singular="clusterrolebinding",
    namespaced=False,
    rules=rules_in("rbac", "CLUSTER_ROLE_BINDING_RULES"),
    columns=BINDING_COLUMNS,
)

ROWS = (
    ROLES,
    ROLE_BINDINGS,
    CLUSTER_ROLES,
    CLUSTER_ROLE_BINDINGS,
)
