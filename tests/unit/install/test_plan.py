"""What an installation puts where."""

import pytest

from minikube_py.install.plan import (
    CONFIG_FILE,
    PROGRAM,
    CopyProgram,
    InstallError,
    LinkProgram,
    Program,
    Record,
    WriteFile,
    made_by,
    merge_settings,
    plan_install,
    require_same_role,
    unit_name,
)


def plan(program):
    return plan_install("agent", program, b"unit", b"settings", b"completion")


def test_the_one_file_is_copied_to_where_the_unit_starts_it():
    assert plan(Program("/root/minikube-py", one_file=True))[0] == CopyProgram(PROGRAM, "/root/minikube-py")


def test_a_python_environment_stays_where_it_is_and_is_linked_to():
    assert plan(Program("/srv/venv/bin/minikube-py", one_file=False))[0] == LinkProgram(
        PROGRAM, "/srv/venv/bin/minikube-py"
    )


def test_the_installed_program_does_not_copy_itself_onto_itself():
    steps = plan(Program(PROGRAM, one_file=True))
    assert [type(step) for step in steps] == [WriteFile, WriteFile, WriteFile]


def test_settings_are_for_root_alone_since_a_token_may_be_among_them():
    modes = {step.path: step.mode for step in plan(Program(PROGRAM, one_file=True))}
    assert modes == {
        CONFIG_FILE: 0o600,
        f"/etc/systemd/system/{unit_name('agent')}": 0o644,
        "/etc/bash_completion.d/minikube-py": 0o644,
    }


def test_a_host_keeps_its_role():
    require_same_role("server", None)
    require_same_role("server", Record("server", (), {}))
    with pytest.raises(InstallError, match=r"minikube-py-server\.service is installed.*uninstall.*install agent"):
        require_same_role("agent", Record("server", (), {}))


def test_settings_given_now_replace_those_of_the_file_and_the_rest_stays():
    assert merge_settings({"node-ip": "192.0.2.1", "log-format": "json"}, {"node-ip": "192.0.2.2"}) == {
        "node-ip": "192.0.2.2",
        "log-format": "json",
    }


def test_what_an_earlier_installation_made_stays_ours_to_remove():
    earlier = Record("server", ("/a", "/b"), {})
    assert made_by(earlier, [("/b", "unchanged"), ("/c", "created")]) == ("/a", "/b", "/c")
    assert made_by(None, [("/c", "created")]) == ("/c",)
