"""README's first command does everything, and run again it changes nothing."""

import os
import subprocess
from pathlib import Path

import pytest

from minikube_py.testing.lab.machine import run

pytestmark = pytest.mark.node

ROOT = Path(__file__).parents[2]
DATA = Path("/run/mkpy-quickstart")


@pytest.fixture
def environment(tmp_path):
    given = {
        **os.environ,
        "MINIKUBE_PY_DATA_DIR": str(DATA),
        "MINIKUBE_PY_WRITE_KUBECONFIG": str(tmp_path / "kubeconfig.yaml"),
        "MINIKUBE_PY_LOG": str(tmp_path / "agent.log"),
        "MINIKUBE_PY_HTTPS_LISTEN_PORT": "16443",
        "MINIKUBE_PY_NODE_NAME": "quick",
    }
    yield given
    subprocess.run(["minikube-py", "down"], env=given, check=True, timeout=60)
    subprocess.run(["rm", "-rf", str(DATA)], check=True)


def _objects(environment):
    done = subprocess.run(
        ["kubectl", f"--kubeconfig={environment['MINIKUBE_PY_WRITE_KUBECONFIG']}", "get", "deployment,rs,pods,svc"]
        + [
            "-o",
            "jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.uid} {.metadata.generation}{'\\n'}{end}",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_quickstart_ends_with_the_answer_and_can_be_run_again(environment):
    first = subprocess.run(
        [ROOT / "scripts/quickstart"], env=environment, capture_output=True, text=True, timeout=300
    )
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("hello from hello-")
    objects = _objects(environment)
    containers = run(["docker", "ps", "-q", "--filter", "label=io.kubernetes.pod.namespace=default"]).stdout
    assert objects.count("Pod/") == 3

    second = subprocess.run(
        [ROOT / "scripts/quickstart"], env=environment, capture_output=True, text=True, timeout=300
    )

    assert second.returncode == 0, second.stderr
    assert second.stdout.startswith("hello from hello-")
    assert _objects(environment) == objects
    assert run(["docker", "ps", "-q", "--filter", "label=io.kubernetes.pod.namespace=default"]).stdout == containers
    assert "unchanged" in second.stderr
