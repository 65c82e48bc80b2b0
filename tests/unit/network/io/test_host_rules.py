"""`iptables` is a shell script that keeps its rules in a file."""

import pytest

from minikube_py.network.config import NetworkConfig
from minikube_py.network.io.host_rules import HostRules

RULES_OF_DOCKER = "-P INPUT ACCEPT\n-P FORWARD DROP\n"
ACCEPTED = ["FORWARD 1 -s 10.244.0.0/16 -j ACCEPT", "FORWARD 1 -d 10.244.0.0/16 -j ACCEPT"]


class Host:
    """A host with these programs alone, and the commands that changed its rules."""

    def __init__(self, folder):
        self._folder = folder

    def install(self, on_list=""):
        """`on_list`: what happens when somebody has listed the rules."""
        script = (
            f"#!/bin/sh\n"
            f"case \"$*\" in *--version) echo 'iptables v1.8.9 (legacy)';; "
            f"*-S) printf %s '{RULES_OF_DOCKER}'; {on_list} ;; "
            f'*) shift 2; shift; echo "$@" >> {self._folder}/changes;; esac\n'
        )
        for name, text in (("iptables", script), ("iptables-restore", "#!/bin/sh\n")):
            program = self._folder / name
            program.write_text(text)
            program.chmod(0o755)

    def changes(self):
        file = self._folder / "changes"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def host(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    return Host(tmp_path)


async def test_a_program_that_is_gone_for_a_moment_neither_ends_the_agent_nor_is_given_up(host, tmp_path):
    host.install(on_list=f"/bin/rm {tmp_path}/iptables")
    rules = HostRules(NetworkConfig())
    await rules._run_iptables_plan(removal=False)
    assert host.changes() == []

    host.install()
    await rules._run_iptables_plan(removal=False)

    assert host.changes()[:2] == ACCEPTED


async def test_a_program_that_is_installed_later_is_found(host):
    rules = HostRules(NetworkConfig())
    await rules._run_iptables_plan(removal=False)
    host.install()
    await rules._run_iptables_plan(removal=False)

    assert host.changes()[:2] == ACCEPTED
