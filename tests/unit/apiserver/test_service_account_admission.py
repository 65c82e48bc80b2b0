import pytest

from minikube_py.apiserver.service_account_admission import (
    ENFORCE,
    TOKEN_PATH,
    mirror_fault,
    mount_token,
    name_account,
    secrets_fault,
    token_volume,
)

MOUNT = {"name": "kube-api-access-abcde", "readOnly": True, "mountPath": TOKEN_PATH}


def a_pod(**spec):
    containers = [{"name": "c", "image": "i"}]
    return {"metadata": {"name": "p"}, "spec": {"containers": containers, **spec}}


def an_account(**fields):
    return {"metadata": {"name": "sa", "annotations": fields.pop("annotations", {})}, **fields}


@pytest.mark.parametrize(("named", "found"), [({}, "default"), ({"serviceAccountName": "x"}, "x")])
def test_a_pod_without_an_account_runs_as_default(named, found):
    pod = a_pod(**named)

    assert name_account(pod) == found
    assert (pod["spec"]["serviceAccountName"], pod["spec"]["serviceAccount"]) == (found, found)


def test_every_container_gets_the_token():
    pod = a_pod(initContainers=[{"name": "i", "image": "i"}], volumes=[{"name": "v", "emptyDir": {}}])
    mount_token(pod, an_account(), "abcde")

    assert [c["volumeMounts"] for c in (*pod["spec"]["initContainers"], *pod["spec"]["containers"])] == [[MOUNT]] * 2
    assert pod["spec"]["volumes"] == [
        {"name": "v", "emptyDir": {}},
        {"name": "kube-api-access-abcde", "projected": token_volume()},
    ]


@pytest.mark.parametrize(
    ("of_pod", "of_account", "mounted"),
    [(None, None, True), (None, False, False), (True, False, True), (False, True, False), (False, None, False)],
)
def test_the_pod_decides_before_the_account(of_pod, of_account, mounted):
    pod = a_pod(**({} if of_pod is None else {"automountServiceAccountToken": of_pod}))
    mount_token(pod, an_account(**({} if of_account is None else {"automountServiceAccountToken": of_account})), "x")

    assert ("volumes" in pod["spec"]) is mounted
    assert ("volumeMounts" in pod["spec"]["containers"][0]) is mounted


def test_a_container_that_mounts_something_there_keeps_it():
    own = [{"name": "v", "mountPath": TOKEN_PATH}]
    pod = a_pod(containers=[{"name": "c", "image": "i", "volumeMounts": list(own)}])
    mount_token(pod, an_account(), "abcde")

    assert pod["spec"]["containers"][0]["volumeMounts"] == own
    assert "volumes" not in pod["spec"]


def test_a_pod_that_was_admitted_before_gets_no_second_volume():
    pod = a_pod()
    mount_token(pod, an_account(), "abcde")
    pod["spec"]["containers"].append({"name": "added", "image": "i"})
    mount_token(pod, an_account(), "other")

    assert [v["name"] for v in pod["spec"]["volumes"]] == ["kube-api-access-abcde"]
    assert pod["spec"]["containers"][1]["volumeMounts"] == [MOUNT]


@pytest.mark.parametrize(("own", "found"), [([], [{"name": "reg"}]), ([{"name": "mine"}], [{"name": "mine"}])])
def test_the_accounts_pull_secrets_are_for_pods_without_their_own(own, found):
    pod = a_pod(imagePullSecrets=own)
    mount_token(pod, an_account(imagePullSecrets=[{"name": "reg"}]), "x")

    assert pod["spec"]["imagePullSecrets"] == found


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ({}, ""),
        ({"serviceAccountName": "default"}, "service accounts"),
        ({"volumes": [{"name": "v", "secret": {"secretName": "s"}}]}, "secrets"),
        ({"imagePullSecrets": [{"name": "s"}]}, "secrets"),
        ({"containers": [{"name": "c", "envFrom": [{"configMapRef": {"name": "x"}}]}]}, "configmaps"),
        ({"volumes": [{"name": "v", "projected": {"sources": [{"configMap": {"name": "x"}}]}}]}, "configmaps"),
        ({"volumes": [{"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]}, "use"),
    ],
)
def test_a_mirror_pod_refers_to_nothing(spec, fault):
    expected = {
        "": "",
        "use": "a mirror pod may not use ServiceAccountToken volume projections",
    }.get(fault, f"a mirror pod may not reference {fault}")

    assert mirror_fault(a_pod(**spec)) == expected


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ({"volumes": [{"name": "v", "secret": {"secretName": "mine"}}]}, ""),
        ({"volumes": [{"name": "v", "secret": {"secretName": "x"}}]}, 'volume with secret.secretName="x" '),
        (
            {"containers": [{"name": "c", "env": [{"name": "E", "valueFrom": {"secretKeyRef": {"name": "x"}}}]}]},
            'container c with envVar E referencing secret.secretName="x" ',
        ),
        ({"imagePullSecrets": [{"name": "x"}]}, 'imagePullSecrets[0].name="x" '),
    ],
)
def test_an_account_may_say_which_secrets_its_pods_use(spec, fault):
    account = an_account(secrets=[{"name": "mine"}], annotations={ENFORCE: "true"})
    found = secrets_fault(a_pod(**spec), account)

    assert found.startswith(fault)
    assert bool(found) is bool(fault)
    assert secrets_fault(a_pod(**spec), an_account()) == ""
