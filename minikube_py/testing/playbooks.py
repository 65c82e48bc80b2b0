"""Runs the playbooks of scripts/ansible as a user's control host does, and says what they changed."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import minikube_py

ROOT = Path(minikube_py.__file__).parents[1]
PLAYBOOKS = ROOT / "scripts" / "ansible"


@dataclass(frozen=True, slots=True)
class Played:
    """What a playbook did."""

    changed: Mapping[str, int]
    """How much, by host."""
    said: str
    """All that it printed, with the results of its tasks."""


@dataclass(frozen=True, slots=True)
class Control:
    """A control host."""

    folder: Path
    """What Ansible keeps, and the inventory."""
    connections: Path
    """The folder with the plugins that reach the hosts."""

    def write_inventory(self, server: Mapping[str, Any], agents: Mapping[str, Any]) -> None:
        """Write who is what: the variables of each host by its name."""
        groups = {"minikube_py_server": {"hosts": dict(server)}, "minikube_py_agent": {"hosts": dict(agents)}}
        self._inventory.write_text(yaml.safe_dump({"all": {"children": groups}}))

    @property
    def _inventory(self) -> Path:
        return self.folder / "inventory.yml"

    def play(self, name: str, variables: Mapping[str, Any]) -> Played:
        """Run a playbook to its end.

        Raises:
            AssertionError: it failed; carries what was said last.
        """
        program = Path(sys.executable).with_name("ansible-playbook")
        done = subprocess.run(
            [program, "-v", "-i", self._inventory, f"{name}.yml", "-e", json.dumps(variables)],
            cwd=PLAYBOOKS,
            env={
                **os.environ,
                "ANSIBLE_CONNECTION_PLUGINS": str(self.connections),
                "ANSIBLE_HOME": str(self.folder / "home"),
                "PATH": f"{program.parent}:{os.environ['PATH']}",
                "PYTHONPATH": str(ROOT),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
        recap = re.findall(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)", done.stdout, re.MULTILINE)
        return Played({host: int(count) for host, count in recap}, done.stdout + done.stderr)
