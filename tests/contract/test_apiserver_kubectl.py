"""Every kubectl from 1.27 on against the real API server over HTTPS: what people type, and what they read."""

import asyncio
import re

import pytest
import yaml

from minikube_py.testing.kubectl import KUBECTLS
from minikube_py.testing.kubectl_server import serving_kubectl
from minikube_py.testing.memory_api_server import READER_TOKEN

pytestmark = pytest.mark.slow


DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: c, image: "busybox:1.36"}
"""


@pytest.fixture(params=KUBECTLS)
async def kubectl(request, tmp_path):
    async with serving_kubectl(KUBECTLS[request.param], tmp_path) as running:
        yield running


def test_a_kubectl_is_there():
    assert KUBECTLS, "no kubectl was found; scripts/test installs one"


async def test_apply_get_change_and_delete_a_deployment(kubectl):
    assert await kubectl("apply", "-f", "-", stdin=DEPLOYMENT) == "deployment.apps/web created\n"
    assert await kubectl("apply", "-f", "-", stdin=DEPLOYMENT) == "deployment.apps/web unchanged\n"
    changed = DEPLOYMENT.replace("replicas: 2", "replicas: 3")
    assert await kubectl("apply", "-f", "-", stdin=changed) == "deployment.apps/web configured\n"

    rows = (await kubectl("get", "deployments", "-o", "wide")).splitlines()
    assert rows[0].split() == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE", "CONTAINERS", "IMAGES", "SELECTOR"]
    assert rows[1].split()[:4] == ["web", "0/3", "0", "0"]
    assert rows[1].split()[-3:] == ["c", "busybox:1.36", "app=web"]
    written = yaml.safe_load(await kubectl("get", "deployment", "web", "-o", "yaml"))
    assert written["spec"]["replicas"] == 3
    assert written["metadata"]["generation"] == 2

    assert await kubectl("scale", "deployment/web", "--replicas=1") == "deployment.apps/web scaled\n"
    assert await kubectl("label", "deployment", "web", "tier=front") == "deployment.apps/web labeled\n"
    await kubectl("annotate", "deployment", "web", "note=a b")
    image = '{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"busybox:1.37"}]}}}}'
    assert await kubectl("patch", "deployment", "web", "-p", image) == "deployment.apps/web patched\n"
    assert await kubectl("set", "image", "deployment/web", "c=busybox:1.38")
    assert await kubectl("get", "deployment", "-l", "tier=front", "-o", "name") == "deployment.apps/web\n"
    template = "{.spec.replicas} {.spec.template.spec.containers[0].image} {.metadata.annotations.note}"
    assert await kubectl("get", "deployment", "web", "-o", f"jsonpath={template}") == "1 busybox:1.38 a b"

    assert (await kubectl("delete", "deployment", "web")).startswith('deployment.apps "web" deleted')
    missing = await kubectl.run("get", "deployment", "web")
    assert missing.code == 1
    assert missing.err.endswith('(NotFound): deployments.apps "web" not found\n')


async def test_create_commands_send_what_the_server_understands(kubectl):
    # From 1.32 on these bodies are protobuf.
    await kubectl("create", "namespace", "team")
    await kubectl("-n", "team", "create", "configmap", "settings", "--from-literal=a=1", "--from-literal=b=x y")
    await kubectl("-n", "team", "create", "secret", "generic", "keys", "--from-literal=password=geheim")
    await kubectl("-n", "team", "create", "serviceaccount", "robot")
    await kubectl("-n", "team", "create", "deployment", "web", "--image=busybox:1.36", "--replicas=2", "--port=80")
    await kubectl("-n", "team", "create", "service", "clusterip", "web", "--tcp=80:8080")
    await kubectl("-n", "team", "expose", "deployment", "web", "--name=web2", "--port=81")
    await kubectl("-n", "team", "run", "one", "--image=busybox:1.36", "--", "sleep", "60")

    assert await kubectl("-n", "team", "get", "cm", "settings", "-o", "jsonpath={.data}") == '{"a":"1","b":"x y"}'
    assert await kubectl("-n", "team", "get", "secret", "keys", "-o", "jsonpath={.data.password}") == "Z2VoZWlt"
    deployment = yaml.safe_load(await kubectl("-n", "team", "get", "deployment", "web", "-o", "yaml"))
    assert deployment["spec"]["replicas"] == 2
    assert deployment["spec"]["template"]["spec"]["containers"][0]["ports"][0]["containerPort"] == 80
    services = (await kubectl("-n", "team", "get", "services", "--no-headers")).splitlines()
    assert [row.split()[0] for row in services] == ["web", "web2"]
    addresses = [row.split()[2] for row in services]
    assert all(address.startswith("10.96.") for address in addresses)
    assert len(set(addresses)) == 2
    pod = yaml.safe_load(await kubectl("-n", "team", "get", "pod", "one", "-o", "yaml"))
    assert pod["spec"]["containers"][0]["args"] == ["sleep", "60"]


async def test_watch_prints_each_change(kubectl):
    await kubectl("create", "configmap", "first", "--from-literal=a=1")
    watching = await kubectl.start("get", "configmaps", "-w", "--output-watch-events", "--request-timeout=90s")
    rows = []
    async with asyncio.timeout(90):
        rows.append((await watching.stdout.readline()).split())
        rows.append((await watching.stdout.readline()).split())
        await kubectl("create", "configmap", "second", "--from-literal=a=1")
        rows.append((await watching.stdout.readline()).split())
        await kubectl("patch", "configmap", "second", "--type=merge", "-p", '{"data":{"b":"2"}}')
        rows.append((await watching.stdout.readline()).split())
        await kubectl("delete", "configmap", "second")
        rows.append((await watching.stdout.readline()).split())
    watching.kill()
    await watching.communicate()

    assert [tuple(cell.decode() for cell in row[:3]) for row in rows] == [
        ("EVENT", "NAME", "DATA"),
        ("ADDED", "first", "1"),
        ("ADDED", "second", "1"),
        ("MODIFIED", "second", "2"),
        ("DELETED", "second", "2"),
    ]


async def test_unknown_fields_are_refused_or_warned_of(kubectl):
    typo = DEPLOYMENT.replace("replicas:", "replicass:")
    strict = await kubectl.run("apply", "-f", "-", stdin=typo)
    warned = await kubectl.run("create", "--validate=warn", "-f", "-", stdin=typo)

    assert strict.code == 1
    assert 'unknown field "spec.replicass"' in strict.err
    assert warned.code == 0
    assert 'unknown field "spec.replicass"' in warned.err


async def test_a_wrong_type_names_the_field(kubectl):
    wrong = await kubectl.run("create", "--validate=false", "-f", "-", stdin=DEPLOYMENT.replace("2", '"two"', 1))
    assert wrong.code == 1
    assert "BadRequest" in wrong.err
    assert "replicas" in wrong.err


async def test_a_stale_replace_is_a_conflict(kubectl):
    await kubectl("create", "configmap", "c", "--from-literal=a=1")
    stale = await kubectl("get", "configmap", "c", "-o", "yaml")
    await kubectl("label", "configmap", "c", "x=y")
    refused = await kubectl.run("replace", "-f", "-", stdin=stale)
    assert refused.code == 1
    assert "the object has been modified; please apply your changes to the latest version" in refused.err


async def test_a_wrong_token_is_told_apart_from_missing_rights(kubectl):
    config = yaml.safe_load((kubectl.home / "config").read_text())
    config["users"][0]["user"] = {"token": "wrong"}
    (kubectl.home / "config").write_text(yaml.safe_dump(config))
    wrong = await kubectl.run("get", "pods")
    config["users"][0]["user"] = {"token": READER_TOKEN}
    (kubectl.home / "config").write_text(yaml.safe_dump(config))
    reader = await kubectl.run("get", "pods")

    assert wrong.code == 1
    assert "You must be logged in to the server" in wrong.err or "Unauthorized" in wrong.err
    assert reader.code == 1
    why = 'pods is forbidden: User "alice" cannot list resource "pods" in API group "" in the namespace "default"'
    assert why in reader.err


async def test_what_is_served_can_be_seen(kubectl):
    resources = await kubectl("api-resources")
    assert re.search(r"^deployments +deploy +apps/v1 +true +Deployment$", resources, re.MULTILINE)
    assert "apps/v1" in (await kubectl("api-versions")).splitlines()
    assert "replicas" in await kubectl("explain", "deployment.spec")
    assert await kubectl("get", "--raw", "/readyz") == "ok"
    assert "[+]bootstrap ok" in await kubectl("get", "--raw", "/readyz?verbose")
    assert "apiserver_request_total" in await kubectl("get", "--raw", "/metrics")
    assert await kubectl("auth", "can-i", "--help")


async def test_a_missing_namespace_and_a_second_create_say_so(kubectl):
    lost = await kubectl.run("-n", "nowhere", "create", "configmap", "c", "--from-literal=a=1")
    await kubectl("create", "configmap", "c", "--from-literal=a=1")
    twice = await kubectl.run("create", "configmap", "c", "--from-literal=a=1")
    assert lost.code == 1
    assert 'namespaces "nowhere" not found' in lost.err
    assert twice.code == 1
    assert 'configmaps "c" already exists' in twice.err


async def test_dry_run_stores_nothing(kubectl):
    dry = await kubectl("apply", "--dry-run=server", "-f", "-", stdin=DEPLOYMENT)
    assert dry == "deployment.apps/web created (server dry run)\n"
    assert (await kubectl.run("get", "deployment", "web")).code == 1
    assert (await kubectl.run("diff", "-f", "-", stdin=DEPLOYMENT)).code == 1


async def test_server_side_apply_owns_fields(kubectl):
    await kubectl("apply", "--server-side", "-f", "-", stdin=DEPLOYMENT)
    other = DEPLOYMENT.replace("replicas: 2", "replicas: 5")
    refused = await kubectl.run("apply", "--server-side", "--field-manager=other", "-f", "-", stdin=other)
    await kubectl("apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", "-", stdin=other)

    assert refused.code == 1
    assert 'conflict with "kubectl": .spec.replicas' in refused.err
    assert await kubectl("get", "deployment", "web", "-o", "jsonpath={.spec.replicas}") == "5"
