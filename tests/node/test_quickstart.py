"""README's first command does everything, and run again it changes nothing."""

import os
import subprocess
import sys
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
    subprocess.run([sys.executable, "-m", "minikube_py", "down"], env=given, check=True, timeout=60)
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


def _containers(objects):
    """The ids of the containers of the pods among `objects`."""
    uids = [line.split()[1] for line in objects.splitlines() if line.startswith("Pod/")]
    rows = run(["docker", "ps", "--no-trunc", "--format", "{{.ID}} {{.Names}}"]).stdout.splitlines()
    return sorted(row.split()[0] for row in rows if any(uid in row for uid in uids))


def test_quickstart_ends_with_the_answer_and_can_be_run_again(environment):
    first = subprocess.run(
        [ROOT / "scripts/quickstart"], env=environment, capture_output=True, text=True, timeout=300
    )
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("hello from hello-")
    objects = _objects(environment)
    containers = _containers(objects)
    assert objects.count("Pod/") == 3

    second = subprocess.run(
        [ROOT / "scripts/quickstart"], env=environment, capture_output=True, text=True, timeout=300
    )

    assert second.returncode == 0, second.stderr
    assert second.stdout.startswith("hello from hello-")
    assert _objects(environment) == objects
    assert len(containers) == 6
    assert _containers(objects) == containers
    assert "unchanged" in second.stderr

    # A normal image name, as from a registry: here the engine has it already.
    run(["docker", "tag", "minikube-py/busybox:1", "example.test/web:1"])
    try:
        third = subprocess.run(
            [ROOT / "scripts/quickstart", "--image", "example.test/web:1"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert third.returncode == 0, third.stderr
        assert third.stdout.startswith("hello from hello-")
        names = run(
            ["docker", "ps", "--format", "{{.Names}}", "--filter", "label=minikube-py.image=example.test/web:1"]
        )
        assert names.stdout.count("k8s_web_hello-") == 3
    finally:
        run(["docker", "rmi", "example.test/web:1"], check=False)
