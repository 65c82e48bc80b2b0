"""`kubectl --dry-run=server` where webhooks have a say: a real webhook server, the oldest and the newest kubectl."""

from types import SimpleNamespace

import orjson
import pytest

from minikube_py.api.resources import find_resource
from minikube_py.apiserver.canonical import canonical
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.store.interface import Put
from minikube_py.testing.kubectl import KUBECTLS, Kubectl
from minikube_py.testing.kubectl_server import write_kubeconfig
from minikube_py.testing.memory_api_server import loopback_pki, memory_api_server, memory_store, serving
from minikube_py.testing.webhook_server import allow, webhook_server

pytestmark = pytest.mark.slow
OLDEST_AND_NEWEST = list(dict.fromkeys((*list(KUBECTLS)[:1], *list(KUBECTLS)[-1:])))
CONFIGURATIONS = find_resource("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations")


@pytest.fixture(params=OLDEST_AND_NEWEST)
async def world(request, tmp_path):
    store = memory_store()
    pki = loopback_pki(tmp_path / "pki", SystemClock().wall_s())
    async with (
        serving(memory_api_server(durable=store), pki.server_context()) as url,
        webhook_server(pki) as hooks,
    ):
        write_kubeconfig(tmp_path, url, pki)
        hooks.answers["/ok"] = allow()
        yield SimpleNamespace(store=store, hooks=hooks, kubectl=Kubectl(KUBECTLS[request.param], tmp_path))


def configuration(world, effects):
    rule = {"operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "scope": "*"}
    hook = {
        "name": "ok.example.com",
        "clientConfig": world.hooks.client_config("/ok"),
        "rules": [rule],
        "sideEffects": effects,
        "admissionReviewVersions": ["v1"],
        "failurePolicy": "Ignore",
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "hooks"},
        "webhooks": [hook],
    }


def asked(world):
    reviews = [review["request"] for review in world.hooks.asked]
    world.hooks.asked.clear()
    return [(request["operation"], request["name"], request["dryRun"]) for request in reviews]


@pytest.mark.parametrize("effects", ["None", "NoneOnDryRun"])
async def test_a_webhook_without_effects_is_asked_about_a_dry_run_and_told_so(world, effects):
    manifest = orjson.dumps(configuration(world, effects)).decode()
    await world.kubectl("create", "-f", "-", stdin=manifest)

    said = await world.kubectl("create", "configmap", "m", "--dry-run=server")
    assert said == "configmap/m created (server dry run)\n"
    assert asked(world) == [("CREATE", "m", True)]
    assert (await world.kubectl.run("get", "configmap", "m")).code == 1

    await world.kubectl("create", "configmap", "m")
    assert asked(world) == [("CREATE", "m", False)]
    said = await world.kubectl("delete", "configmap", "m", "--dry-run=server")
    assert said == 'configmap "m" deleted (server dry run)\n'
    assert asked(world) == [("DELETE", "m", True)]
    assert await world.kubectl("get", "configmap", "m", "-o", "name") == "configmap/m\n"


@pytest.mark.parametrize("effects", ["Some", "Unknown"])
async def test_a_dry_run_is_refused_where_a_webhook_has_side_effects_whatever_its_failure_policy(world, effects):
    """Nobody can register such a one any more, but an older server may have stored it."""
    manifest = configuration(world, effects)
    refused = await world.kubectl.run("create", "-f", "-", stdin=orjson.dumps(manifest).decode())
    assert f'webhooks[0].sideEffects: Unsupported value: "{effects}"' in refused.err
    await world.kubectl("create", "configmap", "old")
    key = CONFIGURATIONS.storage_key("", "hooks")
    await world.store.commit((Put(key, canonical(manifest), expect=0),))

    for command in (("create", "configmap", "m"), ("delete", "configmap", "old")):
        dry = await world.kubectl.run(*command, "--dry-run=server")
        assert (dry.code, dry.out) == (1, ""), dry
        assert 'admission webhook "ok.example.com" does not support dry run' in dry.err
    assert asked(world) == []

    await world.kubectl("create", "configmap", "m")
    assert asked(world) == [("CREATE", "m", False)]
