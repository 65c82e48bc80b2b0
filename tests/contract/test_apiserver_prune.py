"""`kubectl apply --prune`: what is no longer in the files goes, found by label or by the ApplySet it belongs to."""

import pytest
import yaml

from minikube_py.testing.kubectl import KUBECTLS
from minikube_py.testing.kubectl_server import serving_kubectl

pytestmark = pytest.mark.slow


@pytest.fixture(params=KUBECTLS)
async def kubectl(request, tmp_path):
    async with serving_kubectl(KUBECTLS[request.param], tmp_path) as running:
        yield running


def config_maps(*names):
    return "---\n".join(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, labels: {{app: shop}}}}\ndata: {{a: x}}\n"
        for name in names
    )


async def names_of(kubectl, *options):
    rows = (await kubectl("get", "configmaps", "-o", "name", *options)).split()
    return [row.removeprefix("configmap/") for row in rows if row != "configmap/kube-root-ca.crt"]


async def kinds_in(kubectl, apply_set):
    """Return how many kinds a set says it has; the annotation's name is another one in kubectl 1.27."""
    annotations = yaml.safe_load(await kubectl("get", "secret", apply_set, "-o", "yaml"))["metadata"]["annotations"]
    (kinds,) = (value for name, value in annotations.items() if "/contains-group-" in name)
    return len(kinds.split(","))


async def test_prune_removes_what_has_the_label_and_is_not_given_any_more(kubectl):
    await kubectl("create", "configmap", "by-hand", "--from-literal=a=x")
    await kubectl("label", "configmap", "by-hand", "app=shop")
    await kubectl("apply", "-f", "-", stdin=config_maps("one", "two"))
    prune = ("apply", "--prune", "-l", "app=shop", "--prune-allowlist=core/v1/ConfigMap", "-f", "-")

    said = await kubectl(*prune, "--dry-run=server", stdin=config_maps("one"))
    assert "configmap/two pruned (server dry run)" in said
    assert await names_of(kubectl) == ["by-hand", "one", "two"]

    assert "configmap/two pruned" in await kubectl(*prune, stdin=config_maps("one"))
    # What was not made by `apply` has no last-applied-configuration and stays.
    assert await names_of(kubectl) == ["by-hand", "one"]


async def test_an_apply_set_knows_what_belongs_to_it(kubectl):
    kubectl = kubectl.having(KUBECTL_APPLYSET="true")
    prune = ("apply", "--prune", "--applyset=shop", "-n", "default", "-f", "-")
    deployment = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "busybox:1.36"}]}
"""
    await kubectl("apply", "-f", "-", stdin=config_maps("other"))
    await kubectl(*prune, stdin=f"{config_maps('one', 'two')}---\n{deployment}")
    assert await kinds_in(kubectl, "shop") == 2
    belonging = "jsonpath={.metadata.labels.applyset\\.kubernetes\\.io/part-of}"
    set_id = "jsonpath={.metadata.labels.applyset\\.kubernetes\\.io/id}"
    assert await kubectl("get", "configmap", "one", "-o", belonging) == await kubectl(
        "get", "secret", "shop", "-o", set_id
    )

    said = await kubectl(*prune, stdin=config_maps("one"))
    assert {line for line in said.splitlines() if line.endswith(" pruned")} == {
        "configmap/two pruned",
        "deployment.apps/web pruned",
    }
    assert await names_of(kubectl) == ["one", "other"]
    assert await kinds_in(kubectl, "shop") == 1
