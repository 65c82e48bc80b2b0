"""`kubectl logs` as users know it, and the files that log shippers read."""

import json
import re
import subprocess
import time

import pytest

from minikube_py.testing.lab.cluster import IMAGE, wait_until

pytestmark = pytest.mark.node

LINES = 170_000
"""Some 14 MB of Docker's JSON: more than one file."""
SCRIPTS = {
    "talks": "i=0; while [ $i -lt 5 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done; sleep 100000",
    "other": "echo from the other; sleep 100000",
    "much": f"seq 1 {LINES}; sleep 100000",
    "fails": "echo run $(cat /data/n 2>/dev/null); echo x >> /data/n; exit 1",
}


@pytest.fixture(scope="module")
def logs(cluster):
    """`kubectl logs` in a namespace with the pods that the tests read; gone afterwards."""

    def container(name):
        return {
            "name": name,
            "image": IMAGE,
            "command": ["sh", "-c", SCRIPTS[name]],
            "volumeMounts": [{"name": "data", "mountPath": "/data"}],
        }

    def pod(name, *containers, **spec):
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": {"app": "logs"}},
            "spec": {
                "terminationGracePeriodSeconds": 0,
                "volumes": [{"name": "data", "emptyDir": {}}],
                "containers": [container(c) for c in containers],
                **spec,
            },
        }

    cluster.kubectl("create", "namespace", "logs")
    pods = [pod("two", "talks", "other"), pod("much", "much"), pod("fails", "fails")]
    pods.append(pod("ended", "fails", restartPolicy="Never"))
    cluster.apply("logs", "\n---\n".join(map(json.dumps, pods)))
    cluster.kubectl("wait", "-n", "logs", "pod/two", "pod/much", "--for=condition=Ready", "--timeout=60s")
    yield lambda *args, **options: cluster.kubectl("logs", "-n", "logs", *args, **options)
    cluster.kubectl("delete", "namespace", "logs", timeout_s=60)


def test_parts_of_a_log(logs):
    wait_until(lambda: len(logs("two", "-c", "talks").stdout.splitlines()) == 10, 60, "the lines")
    whole = logs("two", "-c", "talks").stdout.splitlines()
    assert sorted(whole) == sorted(f"{stream} {number}" for stream in ("out", "err") for number in range(5))
    assert logs("two", "-c", "talks", "--tail=2").stdout.splitlines() == whole[-2:]
    assert logs("two", "-c", "talks", "--limit-bytes=3").stdout in ("out", "err")
    stamped = logs("two", "-c", "other", "--timestamps").stdout
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z from the other\n", stamped)
    moment = stamped.split()[0]
    assert logs("two", "-c", "other", f"--since-time={moment}").stdout == "from the other\n"
    assert logs("two", "-c", "other", "--since-time=2199-01-01T00:00:00Z").stdout == ""
    time.sleep(1.1)
    assert logs("two", "-c", "other", "--since=1s").stdout == ""
    assert logs("two", "-c", "other", "--since=1h").stdout == "from the other\n"


def test_all_containers_with_their_names_in_front(logs):
    lines = logs("two", "--all-containers", "--prefix").stdout.splitlines()

    assert len(lines) == 11
    assert "[pod/two/other] from the other" in lines
    assert "[pod/two/talks] out 0" in lines
    picked = logs("-l", "app=logs", "--all-containers", "--prefix", "--tail=1").stdout
    assert "[pod/two/other] from the other" in picked
    assert f"[pod/much/much] {LINES}" in picked


def test_a_log_of_several_files_is_one_log_also_to_who_follows_it(logs, cluster):
    folder = next((cluster.host.data_dir / "log" / "pods").glob("logs_much_*"))
    engine_log = (folder / "much" / "0.log").resolve()
    expected = "".join(f"{number}\n" for number in range(1, LINES + 1))
    wait_until(lambda: logs("much", "--tail=1").stdout == f"{LINES}\n", 60, "the last line")

    assert engine_log.with_name(engine_log.name + ".1").exists(), "the log was not rotated"
    assert logs("much").stdout == expected
    tail = logs("much", f"--tail={LINES - 3}").stdout
    assert tail.startswith("4\n5\n")
    argv = ["timeout", "30", *cluster.kubectl_argv("logs", "-n", "logs", "-f", "much")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout is not None
        assert follower.stdout.read(len(expected)) == expected
        follower.terminate()


def test_logs_of_what_has_ended_and_of_the_run_before(logs):
    assert wait_until(lambda: logs("ended", check=False).stdout, 60) == "run\n"
    assert logs("ended", "-f").stdout == "run\n"
    gone = logs("ended", "--previous", check=False).stderr
    assert 'previous terminated container "fails" in pod "ended" not found' in gone
    wait_until(lambda: "run x" in logs("fails", check=False).stdout, 60, "the second run")
    assert "run" in logs("fails", "--previous").stdout


def test_wrong_questions_get_upstreams_answers(logs):
    several = logs("two", check=False)
    assert "Defaulted container" in several.stderr
    assert "container nobody is not valid for pod two" in logs("two", "-c", "nobody", check=False).stderr
    assert 'pods "nobody" not found' in logs("nobody", check=False).stderr


def test_log_shippers_find_dockers_lines_by_the_pods_name(logs, cluster):
    links = next((cluster.host.data_dir / "log" / "containers").glob("two_logs_other-*.log"))
    (line,) = links.read_text().splitlines()

    document = json.loads(line)
    assert (document["log"], document["stream"]) == ("from the other\n", "stdout")


def test_a_log_that_somebody_removed_is_named(logs, cluster):
    wait_until(lambda: logs("ended", check=False).stdout, 60)
    status = cluster.get("pod", "-n", "logs", "ended")["status"]["containerStatuses"][0]
    identity = status["state"]["terminated"]["containerID"]
    cluster.docker("rm", identity.removeprefix("docker://"))

    assert f"unable to retrieve container logs for {identity}" in logs("ended", check=False).stderr
