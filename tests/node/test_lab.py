"""`scripts/lab` as a person types it: a host up, looked into, killed, frozen, rebooted, and gone."""

import json
import subprocess
import tempfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.node

LAB = Path(__file__).parents[2] / "scripts/lab"


def test_a_lab_does_what_its_commands_say():
    folder = Path(tempfile.mkdtemp(prefix="mkpylab", dir="/run"))

    def lab(*argv, check=True):
        done = subprocess.run(
            [LAB, *argv[:1], "--dir", folder, *argv[1:]] if argv[0] != "exec" else [LAB, "--dir", folder, *argv],
            capture_output=True,
            text=True,
            timeout=150,
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    def agent_runs():
        return json.loads(lab("status").stdout)["lab1"]["agent"]

    def ready():
        return (
            "ok" in lab("exec", "lab1", "curl", "-sk", "-m", "3", "https://127.0.0.1:6443/readyz", check=False).stdout
        )

    try:
        assert lab("up").stdout == f"export KUBECONFIG={folder}/kubeconfig.yaml\n"
        assert (folder / "lab1/agent.log").exists()
        assert ready()
        assert "already" in lab("up", check=False).stderr
        lab("pause", "lab1")
        assert not ready()
        lab("resume", "lab1")
        assert ready()
        lab("kill", "lab1")
        assert not agent_runs()
        lab("start", "lab1")
        lab("reboot", "lab1")
        assert ready()
        lab("stop", "lab1")
        assert not agent_runs()
        unknown = lab("start", "lab9", check=False)
        assert unknown.returncode == 1
        assert "no host 'lab9'" in unknown.stderr
    finally:
        lab("down")
    assert not folder.exists()
    assert lab("status", check=False).returncode == 1
