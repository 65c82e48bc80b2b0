"""What every living namespace has: ServiceAccount `default` and ConfigMap `kube-root-ca.crt`.

Upstream: pkg/controller/serviceaccount and pkg/controller/certificates/rootcacertpublisher (two controllers there).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from minikube_py.api.meta import Obj, ObjectKey, is_deleting, name_of, namespace_of
from minikube_py.api.resources import CONFIGMAPS, NAMESPACES, SERVICE_ACCOUNTS
from minikube_py.client.interface import Change
from minikube_py.controllers.plan import Action, Create, Failure, Item, Listers, Plan, Update, latest_item
from minikube_py.controllers.spec import ControllerSpec, Watch

DEFAULT_ACCOUNT = "default"
ROOT_CA = "kube-root-ca.crt"
_DESCRIPTION = "kubernetes.io/description"
_DESCRIBED = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)


@dataclass(frozen=True, slots=True)
class NamespaceContentView:
    """One living namespace, and what it has of the two."""

    namespace: str
    account: Obj | None
    root_ca: Obj | None
    root_ca_pem: str
    """What the ConfigMap should say."""


def reconcile(seen: NamespaceContentView, now_s: float) -> Plan:
    """Decide what to create or mend."""
    actions: list[Action] = []
    if seen.account is None:
        meta: Obj = {"name": DEFAULT_ACCOUNT, "namespace": seen.namespace}
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}
        actions.append(Create(SERVICE_ACCOUNTS, account, exists_is_fine=True))
    data = {"ca.crt": seen.root_ca_pem}
    if seen.root_ca is None:
        meta = {"name": ROOT_CA, "namespace": seen.namespace, "annotations": {_DESCRIPTION: _DESCRIBED}}
        config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}
        actions.append(Create(CONFIGMAPS, config_map, exists_is_fine=True))
    elif seen.root_ca.get("data") != data:
        actions.append(Update(CONFIGMAPS, {**seen.root_ca, "data": data}))
    return Plan(tuple(actions))


def _items_of(name: str, change: Change) -> Sequence[Item]:
    if name_of(change.latest) != name:
        return ()
    return (Item(NAMESPACES.qualified, ObjectKey("", namespace_of(change.latest))),)


def spec(root_ca_pem: str) -> ControllerSpec[NamespaceContentView]:
    """Return the row of the table of controllers; `root_ca_pem` is the cluster's CA certificate."""

    def observe(listers: Listers, item: Item, failure: Failure | None) -> NamespaceContentView | None:
        namespace = listers.get(NAMESPACES, item.key)
        if namespace is None or is_deleting(namespace):
            return None
        name = item.key.name
        account = listers.get(SERVICE_ACCOUNTS, ObjectKey(name, DEFAULT_ACCOUNT))
        return NamespaceContentView(name, account, listers.get(CONFIGMAPS, ObjectKey(name, ROOT_CA)), root_ca_pem)

    return ControllerSpec(
        name="namespace-content",
        component="service-account-controller",
        watches=(
            Watch(NAMESPACES, lambda change, listers: (latest_item(NAMESPACES, change),)),
            Watch(SERVICE_ACCOUNTS, lambda change, listers: _items_of(DEFAULT_ACCOUNT, change)),
            Watch(CONFIGMAPS, lambda change, listers: _items_of(ROOT_CA, change)),
        ),
        observe=observe,
        reconcile=reconcile,
    )
