"""What a user does in an afternoon, with every kubectl that is here: each command behaves as with upstream."""

import json
import os
import pty
import re
import select
import subprocess
import termios
import time

import pytest
import yaml

from minikube_py.testing.kubectl import KUBECTLS
from minikube_py.testing.lab.cluster import IMAGE, SECOND_IMAGE, wait_until, web

pytestmark = pytest.mark.node

UNTIL_TERM = ("sh", "-c", 'trap "exit 0" TERM; sleep 3600 & wait')
"""A command that ends on SIGTERM: a bare sleep as process 1 would sit out its whole grace period."""


@pytest.fixture(params=sorted(KUBECTLS) or ["none"])
def user(request, cluster, namespace):
    return User(cluster, namespace, request.param)


class User:
    """One kubectl in one namespace."""

    def __init__(self, cluster, namespace, version):
        self.cluster, self.namespace, self.version = cluster, namespace, version

    def run(self, *args, **options):
        return self.cluster.kubectl("-n", self.namespace, *args, version=self.version, **options)

    def out(self, *args, **options):
        return self.run(*args, **options).stdout

    def argv(self, *args):
        return self.cluster.kubectl_argv("-n", self.namespace, *args, version=self.version)

    def deploy(self, **options):
        self.run("apply", "-f", "-", stdin=web(**options))
        self.out("rollout", "status", "deployment/web", "--timeout=60s")

    def pods(self):
        return self.out("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].metadata.name}").split()


def test_apply_and_look(user):
    created = user.out("apply", "-f", "-", stdin=web())
    assert created.splitlines() == ["deployment.apps/web created", "service/web created"]
    assert "successfully rolled out" in user.out("rollout", "status", "deployment/web", "--timeout=60s")

    table = user.out("get", "pods", "-o", "wide").splitlines()
    assert table[0].split()[:7] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE"]
    assert [line.split()[1:4] for line in table[1:]] == [["1/1", "Running", "0"]] * 3
    deployment = user.out("get", "deployment").splitlines()
    assert deployment[0].split() == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert deployment[1].split()[:4] == ["web", "3/3", "3", "3"]
    everything = user.out("get", "all")
    assert all(
        word in everything for word in ("pod/web-", "service/web", "deployment.apps/web", "replicaset.apps/web-")
    )
    as_yaml = yaml.safe_load(user.out("get", "deployment", "web", "-o", "yaml"))
    assert as_yaml["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": "25%", "maxUnavailable": "25%"}
    assert as_yaml["status"]["readyReplicas"] == 3
    assert user.out("apply", "-f", "-", stdin=web()).splitlines() == [
        "deployment.apps/web unchanged",
        "service/web unchanged",
    ]


def test_watch_shows_changes_as_they_come(user):
    user.deploy(replicas=1)
    process = subprocess.Popen(user.argv("get", "pods", "-w"), stdout=subprocess.PIPE)
    try:
        user.run("scale", "deployment", "web", "--replicas=2")
        seen = ""

        def second_is_running():
            nonlocal seen
            if select.select([process.stdout], [], [], 0.1)[0]:
                seen += os.read(process.stdout.fileno(), 65536).decode()
            return len(set(re.findall(r"(web-\S+) +1/1 +Running", seen))) == 2

        wait_until(second_is_running, 60, "the second pod in the watch")
    finally:
        process.kill()
        process.wait()
    assert "ContainerCreating" in seen or "Pending" in seen


def test_describe_and_events_tell_what_happened(user):
    user.deploy()
    pod = user.pods()[0]

    text = user.out("describe", "pod", pod)
    assert re.search(r"Status: +Running", text)
    wait_until(lambda: "Started" in user.out("describe", "pod", pod), 60, "the events of the pod")
    for reason in ("Scheduled", "Pulled", "Created", "Started"):
        assert reason in user.out("describe", "pod", pod)
    assert "NewReplicaSet:" in user.out("describe", "deployment", "web")
    assert re.search(r"Endpoints: +10\.244\.", user.out("describe", "service", "web"))
    assert "Allocatable" in user.out("describe", "node", "lab1")
    assert "ScalingReplicaSet" in user.out("get", "events")
    events = user.run("events", check=False)
    assert "ScalingReplicaSet" in events.stdout or "unknown command" in events.stderr  # kubectl 1.20 has none


def test_logs_are_followed(user):
    user.run(
        "apply",
        "-f",
        "-",
        stdin=f"""
apiVersion: v1
kind: Pod
metadata: {{name: counter}}
spec:
  terminationGracePeriodSeconds: 0
  restartPolicy: Never
  containers:
  - name: c
    image: {IMAGE}
    command: ["sh", "-c", "for i in 1 2 3 4 5; do echo line $i; sleep 0.4; done"]
""",
    )
    wait_until(lambda: user.run("logs", "counter", check=False).stdout, 60, "the first line")

    followed = user.out("logs", "-f", "counter")

    assert followed.splitlines() == [f"line {n}" for n in range(1, 6)]
    assert user.out("logs", "--tail=2", "counter").splitlines() == ["line 4", "line 5"]
    stamped = user.out("logs", "--timestamps", "--tail=1", "counter")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z line 5\n", stamped)
    wait_until(
        lambda: user.out("get", "pod", "counter", "-o", "jsonpath={.status.phase}") == "Succeeded", 10, "Succeeded"
    )
    assert "Completed" in user.out("get", "pod", "counter")


def test_exec_runs_commands_and_gives_their_exit_code(user):
    user.deploy(replicas=1)
    pod = user.pods()[0]

    assert user.out("exec", pod, "--", "hostname").strip() == pod
    assert user.out("exec", "-i", pod, "--", "cat", stdin="through stdin\n") == "through stdin\n"
    failed = user.run("exec", pod, "--", "sh", "-c", "echo out; echo err >&2; exit 3", check=False)
    assert (failed.returncode, failed.stdout) == (3, "out\n")
    assert "err\n" in failed.stderr
    assert "exit code 3" in failed.stderr
    big = user.out("exec", pod, "--", "sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x")
    assert len(big) == 3_000_000


def test_exec_with_a_terminal(user):
    user.deploy(replicas=1)
    pod = user.pods()[0]
    pid, terminal = pty.fork()
    if pid == 0:
        termios.tcsetwinsize(0, (33, 111))
        argv = user.argv("exec", "-it", pod, "--", "sh")
        os.execv(argv[0], argv)
    seen = b""

    def read_until(text, timeout_s=20):
        nonlocal seen
        deadline = time.monotonic() + timeout_s
        while text not in seen:
            assert time.monotonic() < deadline, seen
            if select.select([terminal], [], [], 0.2)[0]:
                seen += os.read(terminal, 4096)

    read_until(b"# ")
    os.write(terminal, b"stty size; echo mark-$((40+2))\n")
    read_until(b"mark-42")
    assert b"33 111\r\n" in seen
    termios.tcsetwinsize(terminal, (40, 120))
    os.write(terminal, b"sleep 1; stty size; echo mark-$((41+2))\n")
    read_until(b"mark-43")
    assert b"40 120\r\n" in seen
    os.write(terminal, b"exit 7\n")
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 7
    os.close(terminal)


def test_explain_and_api_resources(user):
    text = user.out("explain", "deployment.spec.strategy")
    assert re.search(r"KIND: +Deployment", text)
    assert "rollingUpdate" in text
    assert "<string>" in user.out("explain", "pod.spec.containers.image")
    resources = user.out("api-resources")
    for words in (r"pods +po +v1 +true +Pod", r"deployments +deploy +apps/v1 +true +Deployment"):
        assert re.search(words, resources)
    assert "apps/v1" in user.out("api-versions").split()
    server = json.loads(user.out("version", "-o", "json"))["serverVersion"]
    assert (server["major"], server["minor"]) == ("1", "36")


def test_rollout_history_undo_and_restart(user):
    user.deploy(replicas=1)
    user.run("set", "image", "deployment/web", f"web={SECOND_IMAGE}")
    user.run("rollout", "status", "deployment/web", "--timeout=60s")
    history = user.out("rollout", "history", "deployment/web")
    assert re.search(r"^1 +", history, re.M)
    assert re.search(r"^2 +", history, re.M)
    assert SECOND_IMAGE in user.out("rollout", "history", "deployment/web", "--revision=2")

    assert "rolled back" in user.out("rollout", "undo", "deployment/web")
    user.run("rollout", "status", "deployment/web", "--timeout=60s")
    image = user.out("get", "deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
    assert image == IMAGE
    assert "restarted" in user.out("rollout", "restart", "deployment/web")
    user.run("rollout", "status", "deployment/web", "--timeout=60s")


def test_scale_label_annotate_edit(user):
    user.deploy(replicas=1)
    assert user.out("scale", "deployment/web", "--replicas=2") == "deployment.apps/web scaled\n"
    user.run("rollout", "status", "deployment/web", "--timeout=60s")
    assert len(user.pods()) == 2
    assert user.out("label", "deployment/web", "tier=front") == "deployment.apps/web labeled\n"
    assert "web" in user.out("get", "deployment", "-l", "tier=front", "-o", "name")
    assert user.out("get", "deployment", "-l", "tier=back", "-o", "name") == ""
    assert user.out("annotate", "deployment/web", "note=hi").startswith("deployment.apps/web annotate")
    assert user.out("get", "deployment", "web", "-o", "jsonpath={.metadata.annotations.note}") == "hi"
    again = user.run("label", "deployment/web", "tier=back", check=False)
    assert "already has a value" in again.stderr
    script = "sed -i 's/note: hi/note: edited/'"
    environment = {**os.environ, "KUBE_EDITOR": script}
    edited = subprocess.run(
        user.argv("edit", "deployment/web"), env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert "edited" in edited.stdout, edited
    assert user.out("get", "deployment", "web", "-o", "jsonpath={.metadata.annotations.note}") == "edited"


def test_server_side_apply(user):
    first = user.run("apply", "--server-side", "-f", "-", stdin=web(replicas=1))
    assert "serverside-applied" in first.stdout
    user.run("rollout", "status", "deployment/web", "--timeout=60s")
    clash = user.run("apply", "--server-side", "--field-manager=other", "-f", "-", stdin=web(replicas=2), check=False)
    assert clash.returncode == 1
    assert "conflict" in clash.stderr
    forced = user.out(
        "apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", "-", stdin=web(replicas=2)
    )
    assert "serverside-applied" in forced


def test_create_and_delete_and_wait(user):
    assert "created" in user.out("create", "configmap", "settings", "--from-literal=a=b")
    assert "created" in user.out("create", "secret", "generic", "password", "--from-literal=p=q")
    assert "created" in user.out("create", "deployment", "made", f"--image={IMAGE}", "--", *UNTIL_TERM)
    user.run("wait", "--for=condition=Available", "deployment/made", "--timeout=60s")
    assert "exposed" in user.out("expose", "deployment", "made", "--port=80")
    assert user.out("get", "configmap", "settings", "-o", "jsonpath={.data.a}") == "b"
    user.run("delete", "deployment", "made", "--wait")
    assert user.run("get", "deployment", "made", check=False).returncode == 1

    def gone():
        return user.out("get", "pods,rs", "-o", "name") == ""

    wait_until(gone, 60, "the end of the deployment's children")
    user.run("run", "one", f"--image={IMAGE}", "--restart=Never", "--", *UNTIL_TERM)
    user.run("wait", "--for=condition=Ready", "pod/one", "--timeout=60s")
    user.run("delete", "pod", "one", "--wait", "--grace-period=1")
    missing = user.run("get", "pod", "one", check=False)
    assert missing.stderr.strip() == 'Error from server (NotFound): pods "one" not found'
