"""A node in a virtual machine, installed as users install it, and kubectl for it from this machine.

Everything there takes some ten times as long, and more where other tests run: what waits for something waits minutes.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from minikube_py.testing.kubectl import KUBECTLS, NEWEST
from minikube_py.testing.lab.cluster import KubectlError
from minikube_py.testing.lab.installed_host import INSTALLED
from minikube_py.testing.lab.lab import FEW_EVICTIONS
from minikube_py.testing.lab.systemd_host import SHARED
from minikube_py.testing.vm.virtual_host import ADDRESS, API_PORT, VirtualHost

UNIT = "minikube-py-server.service"
PATIENCE_S = 420.0
_SETTINGS = f"/etc/systemd/system/{UNIT}.d"
_PATIENT = f"[Service]\nTimeoutStartSec={PATIENCE_S:g}\nWatchdogSec=0\n"
"""An emulated processor is no measure of what a start may take."""
EXPORTED = "/mnt/disk/exported"
"""What clients see as `/`. On a disk of its own: a layer cannot be exported."""
_EXPORT = f"""
modprobe nfsd
mount -t nfsd nfsd /proc/fs/nfsd
for name in "$@"; do mkdir -p "{EXPORTED}/$name"; done
mkdir -p /var/lib/nfs/v4recovery
touch /var/lib/nfs/etab /var/lib/nfs/rmtab
chmod -R 777 {EXPORTED}
echo '{EXPORTED} *(rw,no_root_squash,no_subtree_check,fsid=0)' > /etc/exports
exportfs -ra
rpc.nfsd --no-nfs-version 3 --grace-time 10 --lease-time 10 2
rpc.mountd --no-nfs-version 3
"""


class VirtualCluster(VirtualHost):
    """The host with its node."""

    def be_patient(self) -> None:
        """Give the node's unit the time that an emulated processor takes."""
        self.run("sh", "-c", f"mkdir -p {_SETTINGS} && printf %s '{_PATIENT}' > {_SETTINGS}/patient.conf")

    def install(self, file: Path) -> None:
        """Install the one file; return when its node is Ready."""
        self.be_patient()
        shutil.copy(file, self.shared)
        self.run(f"{SHARED}/{file.name}", "install", "--no-start", FEW_EVICTIONS, timeout_s=PATIENCE_S)
        self.run("systemctl", "start", UNIT, timeout_s=PATIENCE_S)
        self.read_kubeconfig()

    def read_kubeconfig(self) -> None:
        """Let kubectl here reach the cluster that runs there now."""
        config = self.run("cat", "/etc/minikube-py/kubeconfig.yaml").stdout
        self._kubeconfig.write_text(config.replace(f"https://{ADDRESS}:{API_PORT}", self.api_url))

    def uninstall(self) -> str:
        """Take everything away again, and return what was said of it."""
        said = self.run(INSTALLED, "uninstall", "--yes", timeout_s=PATIENCE_S).stdout
        self.run("rm", "-r", _SETTINGS)
        self.run("systemctl", "daemon-reload")
        return said

    @property
    def _kubeconfig(self) -> Path:
        return self.shared / "kubeconfig.yaml"

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        """Run kubectl on this machine, and return what it printed.

        Raises:
            KubectlError: it failed.
        """
        done = subprocess.run(
            [str(KUBECTLS[NEWEST]), f"--kubeconfig={self._kubeconfig}", f"--cache-dir={self.shared}/cache", *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S + 60,
            check=False,
        )
        if done.returncode:
            raise KubectlError(f"kubectl {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def get(self, *words: str) -> Any:
        """Return what `kubectl get … -o json` prints."""
        return json.loads(self.kubectl("get", *words, "-o", "json"))

    def await_condition(self, condition: str, *objects: str) -> None:
        """Return when objects have a condition, as `kubectl wait --for` takes it."""
        self.kubectl("wait", f"--for={condition}", *objects, f"--timeout={PATIENCE_S:g}s")

    def export_folders(self, *names: str) -> None:
        """Start an NFS server (version 4 alone) that exports EXPORTED, with folders of these names in it."""
        self.run("sh", "-euc", _EXPORT, "sh", *names)
