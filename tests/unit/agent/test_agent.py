"""A node without the master role is small: it imports nothing of a master."""

import json
import subprocess
import sys

MASTER = ("minikube_py.apiserver", "minikube_py.store", "minikube_py.scheduler", "minikube_py.controllers")
MASTER_MODULES = ("minikube_py.agent.master", "minikube_py.agent.server", "minikube_py.agent.credentials")


def test_an_agent_imports_nothing_of_a_master():
    script = "import json, sys, minikube_py.cli.agent; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    imported = json.loads(done.stdout)

    assert "minikube_py.kubelet.io.kubelet_loop" in imported
    assert not [name for name in imported if name.startswith(MASTER) or name in MASTER_MODULES]
