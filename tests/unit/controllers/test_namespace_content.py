"""What every living namespace has."""

from minikube_py.api.resources import CONFIGMAPS, SERVICE_ACCOUNTS
from minikube_py.controllers.namespace_content import NamespaceContentView, reconcile
from minikube_py.controllers.plan import Create, Plan, Update
from minikube_py.testing.workload_objects import NOW_S

ACCOUNT = {"metadata": {"name": "default", "namespace": "shop"}}
CA = {"metadata": {"name": "kube-root-ca.crt", "namespace": "shop"}, "data": {"ca.crt": "PEM"}}


def test_a_new_namespace_gets_both() -> None:
    account, root_ca = reconcile(NamespaceContentView("shop", None, None, "PEM"), NOW_S).actions

    assert isinstance(account, Create)
    assert isinstance(root_ca, Create)
    assert (account.resource, account.obj["metadata"]) == (SERVICE_ACCOUNTS, ACCOUNT["metadata"])
    assert account.exists_is_fine
    assert (root_ca.resource, root_ca.obj["data"]) == (CONFIGMAPS, {"ca.crt": "PEM"})


def test_nothing_is_written_when_both_are_right() -> None:
    assert reconcile(NamespaceContentView("shop", ACCOUNT, CA, "PEM"), NOW_S) == Plan()


def test_another_certificate_is_put_right() -> None:
    changed = {**CA, "data": {"ca.crt": "other", "more": "x"}}
    (update,) = reconcile(NamespaceContentView("shop", ACCOUNT, changed, "PEM"), NOW_S).actions

    assert update == Update(CONFIGMAPS, CA)
