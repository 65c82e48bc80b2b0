import pytest

from minikube_py.kubelet.environment import ConfigError
from minikube_py.kubelet.pod import parse_pod
from minikube_py.kubelet.security import (
    check_non_root,
    common_user,
    container_security,
    missing_seccomp_profile,
    seccomp_profile_name,
)


def a_pod(pod=None, container=None):
    spec = {"containers": [{"name": "c", "image": "i", "securityContext": container or {}}]}
    spec["securityContext"] = pod or {}
    return parse_pod({"metadata": {"name": "p", "namespace": "n", "uid": "u"}, "spec": spec})


def security(pod=None, container=None):
    made = a_pod(pod, container)
    return container_security(made, made.containers[0])


def test_the_container_overrides_the_pod():
    made = security({"runAsUser": 1, "runAsGroup": 2, "fsGroup": 3, "supplementalGroups": [4]}, {"runAsUser": 9})

    assert made.user == "9:2"
    assert made.supplemental_groups == (4, 3)


@pytest.mark.parametrize(
    ("profile", "seccomp"),
    [(None, "unconfined"), ({"type": "Unconfined"}, "unconfined"), ({"type": "RuntimeDefault"}, "")],
)
def test_seccomp(profile, seccomp):
    assert security({"seccompProfile": profile}).seccomp == seccomp


def test_a_profile_of_the_node_is_handed_over_as_text():
    made = a_pod({"seccompProfile": {"type": "Localhost", "localhostProfile": "my.json"}}, None)
    container = made.containers[0]

    assert seccomp_profile_name(made, container) == "my.json"
    assert container_security(made, container, "{}").seccomp == "{}"
    assert 'cannot load seccomp profile "/x/my.json": open /x/my.json: no such file' in missing_seccomp_profile(
        "c", "/x/my.json"
    )


def test_selinux_parts_are_merged_as_a_whole_and_in_docker_s_order():
    made = security({"seLinuxOptions": {"level": "s0:c1,c2", "user": "u"}})

    assert made.selinux == (("user", "u"), ("level", "s0:c1,c2"))
    assert security({"seLinuxOptions": {"user": "u"}}, {"seLinuxOptions": {"type": "t"}}).selinux == (("type", "t"),)


def test_an_unmasked_proc_is_asked_for_by_the_container():
    assert security(None, {"procMount": "Unmasked"}).unmasked_proc
    assert not security(None, {"procMount": "Default"}).unmasked_proc


def test_a_group_needs_a_user():
    with pytest.raises(ConfigError, match="runAsGroup is specified without a runAsUser"):
        security(None, {"runAsGroup": 1})


def test_privileged_containers_keep_their_privileges():
    made = security(None, {"privileged": True, "allowPrivilegeEscalation": False})

    assert (made.privileged, made.no_new_privileges) == (True, False)


@pytest.mark.parametrize(
    ("context", "image_user", "message"),
    [
        ({}, "", "container has runAsNonRoot and image will run as root"),
        ({}, "0:0", "container has runAsNonRoot and image will run as root"),
        ({}, "app", "image has non-numeric user (app)"),
        ({"runAsUser": 0}, "5", "container's runAsUser breaks non-root policy"),
    ],
)
def test_root_is_refused_where_it_is_forbidden(context, image_user, message):
    pod = a_pod(None, {"runAsNonRoot": True, **context})
    with pytest.raises(ConfigError) as error:
        check_non_root(pod, pod.containers[0], image_user)
    assert message in str(error.value)


@pytest.mark.parametrize(("context", "image_user"), [({"runAsUser": 5}, ""), ({}, "1000:1000")])
def test_other_users_pass(context, image_user):
    pod = a_pod({"runAsNonRoot": True}, context)

    check_non_root(pod, pod.containers[0], image_user)


@pytest.mark.parametrize(
    ("pod", "container", "user"),
    [({}, {}, None), ({"runAsUser": 1}, {}, 1), ({"runAsUser": 1}, {"runAsUser": 0}, 0), ({}, {"runAsUser": 2}, 2)],
)
def test_the_user_of_all_containers_is_known(pod, container, user):
    assert common_user(a_pod(pod, container)) == user


def test_two_users_are_not_one():
    containers = [{"name": n, "image": "i", "securityContext": {"runAsUser": n == "a"}} for n in "ab"]

    assert common_user(parse_pod({"metadata": {"name": "p"}, "spec": {"containers": containers}})) is None
