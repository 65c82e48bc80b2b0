"""Ansible's way to a lab's host: its namespaces are entered, no network and no sshd is needed."""

import subprocess
from pathlib import Path

from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: lab_host
short_description: Enters the namespaces of a lab's host
description:
  - Runs commands and copies files through nsenter.
options:
  entry:
    description: The command that enters the host.
    type: list
    elements: str
    required: true
    vars:
      - name: lab_host_entry
author:
  - the minikube_py developers
"""


class Connection(ConnectionBase):
    """One host."""

    transport = "lab_host"
    has_pipelining = True

    def _connect(self):
        self._connected = True
        return self

    def exec_command(self, cmd, in_data=None, sudoable=True):
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        done = subprocess.run([*self.get_option("entry"), "sh", "-c", cmd], input=in_data, capture_output=True)
        return done.returncode, done.stdout, done.stderr

    def put_file(self, in_path, out_path):
        super().put_file(in_path, out_path)
        with Path(in_path).open("rb") as source:
            subprocess.run(
                [*self.get_option("entry"), "sh", "-c", 'cat > "$1"', "sh", out_path], stdin=source, check=True
            )

    def fetch_file(self, in_path, out_path):
        super().fetch_file(in_path, out_path)
        with Path(out_path).open("wb") as target:
            subprocess.run([*self.get_option("entry"), "cat", in_path], stdout=target, check=True)

    def close(self):
        self._connected = False
