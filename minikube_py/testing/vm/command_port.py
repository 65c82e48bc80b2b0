"""The way to a virtual machine that needs no network: a socket here, a port of virtio-serial there, lines of JSON."""

import json
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minikube_py.testing.lab.machine import LabError


class CommandPort:
    """One connection; QEMU takes one at a time."""

    def __init__(self, path: Path) -> None:
        """Name the socket, which need not be there yet."""
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX)
        self._unread = b""
        self._request = 0

    def connect_nowait(self) -> bool:
        """Return whether somebody listens, and connect if so."""
        return self._socket.connect_ex(str(self.path)) == 0

    def close(self) -> None:
        """End the connection; another can be made by another object."""
        self._socket.close()

    def run(
        self, argv: Sequence[str], timeout_s: float, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program on the machine; its return code is not looked at.

        Raises:
            LabError: the machine does not answer, or the program did not end in time.
        """
        self._request += 1
        request = {"id": self._request, "argv": argv, "stdin": stdin, "timeout_s": timeout_s}
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        answer = self._read_answer(timeout_s + 60)
        if answer["returncode"] is None:
            raise LabError(f"{' '.join(argv)} did not end in time: {answer['stdout']}{answer['stderr']}")
        return subprocess.CompletedProcess(argv, answer["returncode"], answer["stdout"], answer["stderr"])

    def _read_answer(self, timeout_s: float) -> Any:
        self._socket.settimeout(timeout_s)
        while True:
            line, found, rest = self._unread.partition(b"\n")
            if found:
                self._unread = rest
                answer = json.loads(line)
                if answer["id"] == self._request:
                    return answer
                continue
            try:
                read = self._socket.recv(1 << 20)
            except TimeoutError:
                raise LabError("the virtual machine does not answer") from None
            if not read:
                raise LabError("the virtual machine ended")
            self._unread += read
