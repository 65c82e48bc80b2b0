"""A live agent is saved, verified, rotated and restored; Secrets are nowhere in plain text; pods go on running."""

import json

import pytest

from minikube_py.testing.lab.cluster import web

pytestmark = pytest.mark.node
PLAIN = "correct-horse-battery-staple"


def ask(cluster, *words):
    return json.loads(cluster.minikube_py(*words, "-o", "json").stdout)


def names(cluster, namespace):
    found = cluster.get("configmaps", "-n", namespace)["items"]
    return {item["metadata"]["name"] for item in found} - {"kube-root-ca.crt"}


def test_a_cluster_goes_back_to_a_snapshot_while_its_pods_go_on(cluster, namespace):
    cluster.apply(namespace, web())
    cluster.kubectl("rollout", "status", "-n", namespace, "deployment/web", "--timeout=60s")
    cluster.kubectl("create", "configmap", "-n", namespace, "before", "--from-literal=a=b")
    cluster.kubectl("create", "secret", "generic", "-n", namespace, "hush", f"--from-literal=password={PLAIN}")
    saved = ask(cluster, "snapshot", "save")
    cluster.kubectl("create", "configmap", "-n", namespace, "after", "--from-literal=a=b")
    version = cluster.get("configmap", "after", "-n", namespace)["metadata"]["resourceVersion"]
    containers = sorted(cluster.docker("ps", "-q", "--no-trunc").split())
    assert ask(cluster, "snapshot", "verify")["faults"] == []
    refused = cluster.minikube_py("snapshot", "restore", saved["name"], check=False)
    assert (refused.returncode, "stop it first" in refused.stderr) == (1, True)

    cluster.lab.stop(cluster.host)
    done = ask(cluster, "snapshot", "restore", saved["name"])
    cluster.lab.start(cluster.host)

    assert done["fromRevision"] == saved["revision"]
    assert done["revision"] >= int(version) + 10**9
    assert names(cluster, namespace) == {"before"}
    assert sorted(cluster.docker("ps", "-q", "--no-trunc").split()) == containers
    gone = cluster.kubectl("get", "--raw", f"/api/v1/configmaps?watch=1&resourceVersion={version}", check=False)
    assert "too old resource version" in gone.stdout + gone.stderr
    cluster.kubectl("create", "configmap", "-n", namespace, "later", "--from-literal=a=b")
    assert ask(cluster, "snapshot", "verify")["faults"] == []
    assert names(cluster, namespace) == {"before", "later"}


def test_secrets_are_nowhere_in_plain_text_and_their_key_is_rotated_under_a_live_agent(cluster, namespace):
    cluster.kubectl("create", "secret", "generic", "-n", namespace, "hush", f"--from-literal=password={PLAIN}")
    (first, *_) = ask(cluster, "secrets-encrypt", "status")["keys"]
    rotated = ask(cluster, "secrets-encrypt", "rotate")
    keys = ask(cluster, "secrets-encrypt", "status")["keys"]
    assert rotated["encryptionKeys"] == [keys[0]["name"]] != [first["name"]]
    encoded = cluster.get("secret", "hush", "-n", namespace)["data"]["password"]
    files = [path for path in (cluster.host.data_dir / "server").rglob("*") if path.is_file()]

    assert len(files) > 5
    for path in files:
        content = path.read_bytes()
        assert encoded.encode() not in content, path
        assert PLAIN.encode() not in content, path
    cluster.lab.stop(cluster.host)
    cluster.lab.start(cluster.host)
    assert cluster.get("secret", "hush", "-n", namespace)["data"]["password"] == encoded
