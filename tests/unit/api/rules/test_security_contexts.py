import pytest

from minikube_py.api.rules.security_contexts import validate_pod_security_context, validate_security_context


@pytest.mark.parametrize(
    ("context", "fields"),
    [
        ({"runAsUser": 0, "privileged": True, "procMount": "Default"}, []),
        ({"runAsUser": -1, "runAsGroup": 2**31}, ["c.runAsUser", "c.runAsGroup"]),
        ({"procMount": "x"}, ["c.procMount"]),
        ({"privileged": True, "allowPrivilegeEscalation": False}, ["c"]),
        ({"allowPrivilegeEscalation": False, "capabilities": {"add": ["CAP_SYS_ADMIN"]}}, ["c"]),
        ({"seccompProfile": {"type": "RuntimeDefault"}}, []),
        ({"seccompProfile": {"type": "Localhost"}}, ["c.seccompProfile.localhostProfile"]),
        ({"seccompProfile": {"type": "Localhost", "localhostProfile": "/a"}}, ["c.seccompProfile.localhostProfile"]),
        ({"appArmorProfile": {"type": "x"}}, ["c.appArmorProfile.type"]),
        (
            {"appArmorProfile": {"type": "Unconfined", "localhostProfile": "a"}},
            ["c.appArmorProfile.localhostProfile"],
        ),
    ],
    ids=str,
)
def test_each_fault_of_a_container_names_its_field(context, fields):
    assert [f.field for f in validate_security_context(context, "c")] == fields


def test_each_fault_of_a_pod_names_its_field():
    context = {
        "fsGroup": -1,
        "supplementalGroups": [1, -1],
        "sysctls": [{"name": ""}, {"name": "kernel.a"}, {"name": "kernel.a"}],
        "fsGroupChangePolicy": "x",
        "supplementalGroupsPolicy": "x",
    }

    assert [f.field for f in validate_pod_security_context({"securityContext": context}, "s")] == [
        "s.securityContext.fsGroup",
        "s.securityContext.supplementalGroups[1]",
        "s.securityContext.sysctls[0].name",
        "s.securityContext.sysctls[2].name",
        "s.securityContext.fsGroupChangePolicy",
        "s.securityContext.supplementalGroupsPolicy",
    ]
