"""Ansible's way to a virtual machine: its port for commands, and the folder that it shares with this machine."""

import shutil
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ConnectionBase

from minikube_py.testing.lab.machine import LabError
from minikube_py.testing.lab.systemd_host import SHARED
from minikube_py.testing.vm.command_port import CommandPort

DOCUMENTATION = """
name: virtual_machine
short_description: Speaks to a virtual machine through its port
description:
  - Runs commands through a port of virtio-serial, and copies files through a shared folder.
options:
  port:
    description: The socket of the port.
    type: path
    required: true
    vars:
      - name: virtual_machine_port
  shared:
    description: The folder that the machine sees as /mnt/shared.
    type: path
    required: true
    vars:
      - name: virtual_machine_shared
author:
  - the minikube_py developers
"""
TIMEOUT_S = 420.0


class Connection(ConnectionBase):
    """One machine; each process of Ansible connects while it has something to say."""

    transport = "virtual_machine"
    has_pipelining = True

    def _connect(self):
        self._connected = True
        return self

    def exec_command(self, cmd, in_data=None, sudoable=True):
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        port = CommandPort(Path(self.get_option("port")))
        try:
            if not port.connect_nowait():
                raise AnsibleConnectionFailure(f"nobody listens at {port.path}")
            done = port.run(["sh", "-c", cmd], TIMEOUT_S, None if in_data is None else in_data.decode())
        except LabError as error:
            raise AnsibleConnectionFailure(str(error)) from error
        finally:
            port.close()
        return done.returncode, done.stdout.encode(), done.stderr.encode()

    def put_file(self, in_path, out_path):
        super().put_file(in_path, out_path)
        with self._shared_file() as shared:
            shutil.copy(in_path, shared)
            self._copy(f"{SHARED}/{shared.name}", out_path)

    def fetch_file(self, in_path, out_path):
        super().fetch_file(in_path, out_path)
        with self._shared_file() as shared:
            self._copy(in_path, f"{SHARED}/{shared.name}")
            shutil.copy(shared, out_path)

    @contextmanager
    def _shared_file(self):
        """Give a name that was never used: the machine keeps what it has once seen of a file."""
        path = Path(self.get_option("shared")) / uuid4().hex
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def _copy(self, source, target):
        code, _, said = self.exec_command(f"cp '{source}' '{target}'")
        if code:
            raise AnsibleConnectionFailure(f"cannot copy {source} to {target}: {said.decode()}")

    def close(self):
        self._connected = False
