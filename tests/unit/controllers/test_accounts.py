from minikube_py.controllers.accounts import account_of


def test_a_controller_works_as_its_own_service_account():
    assert account_of("namespace-controller") == "system:serviceaccount:kube-system:namespace-controller"
    assert account_of("garbage-collector-controller").endswith(":generic-garbage-collector")
