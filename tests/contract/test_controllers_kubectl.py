"""What kubectl shows of the controllers' work, on the real API server over HTTPS; the kubelet is a fake."""

import asyncio
import base64
import ssl
from contextlib import asynccontextmanager
from random import Random

import aiohttp
import pytest
import yaml
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from minikube_py.api.errors import ConflictError, NotFoundError
from minikube_py.api.meta import ObjectKey, format_time, is_deleting, key_of, uid_of
from minikube_py.api.resources import NODES, PODS
from minikube_py.client.interface import STRATEGIC, DeleteOptions
from minikube_py.client.io.informer import InformerSet
from minikube_py.client.io.rest_client import RestClient
from minikube_py.controllers.certificate_authority import load_authority
from minikube_py.controllers.config import ControllersConfig
from minikube_py.controllers.io.controller_loop import Controllers
from minikube_py.controllers.table import controllers
from minikube_py.kit.io.system_clock import SystemClock, system_ids
from minikube_py.scheduler.config import SchedulerConfig
from minikube_py.scheduler.io.scheduler_loop import Scheduler
from minikube_py.testing.kubectl import KUBECTLS, NEWEST, Kubectl
from minikube_py.testing.kubectl_server import write_kubeconfig
from minikube_py.testing.memory_api_server import client_context, loopback_pki, memory_api_server, serving
from minikube_py.testing.signing_requests import new_key, pkcs10

pytestmark = pytest.mark.slow
CLOCK = SystemClock()


class FakeKubelet:
    """Makes pods Ready at once, and confirms deletions."""

    def __init__(self, client, informers):
        self.client = client
        self.informers = informers
        self.queue = asyncio.Queue(1000)
        informers.informer(PODS).subscribe(lambda change: self.queue.put_nowait(change.new) if change.new else None)

    async def run(self):
        while True:
            pod = await self.queue.get()
            if not pod["spec"].get("nodeName"):
                continue
            try:
                if is_deleting(pod):
                    await self.client.delete(PODS, key_of(pod), DeleteOptions(0, uid_of(pod)))
                elif not (pod.get("status") or {}).get("podIP"):
                    await self.serve(pod)
            except (NotFoundError, ConflictError):
                continue

    async def serve(self, pod):
        condition = {"type": "Ready", "status": "True", "lastTransitionTime": format_time(CLOCK.wall_s())}
        status = {"phase": "Running", "podIP": "10.244.0.9", "conditions": [condition]}
        await self.client.patch(PODS, key_of(pod), {"status": status}, patch_type=STRATEGIC, subresource="status")


class Cluster:
    def __init__(self, kubectl, client, url, pki):
        self.kubectl = kubectl
        self.client = client
        self.url = url
        self.pki = pki

    async def add_node(self, name):
        condition = {"type": "Ready", "status": "True", "lastHeartbeatTime": format_time(CLOCK.wall_s())}
        status = {"allocatable": {"cpu": "8", "memory": "8Gi", "pods": "110"}, "conditions": [condition]}
        await self.client.create(NODES, {"metadata": {"name": name}})
        await self.client.patch(NODES, ObjectKey("", name), {"status": status}, subresource="status")

    async def until(self, *args, shows, within_s=60.0):
        async with asyncio.timeout(within_s):
            while shows not in (seen := await self.kubectl(*args)):
                await asyncio.sleep(0.1)
        return seen


@asynccontextmanager
async def _cluster(home, binary):
    server, pki = memory_api_server(), loopback_pki(home / "pki", CLOCK.wall_s())
    authority = load_authority(pki.ca.certificate_pem, pki.ca.key_pem)
    config = ControllersConfig(pki.ca.certificate_pem.decode(), authority, cluster_signing_duration_s=86400.0)
    async with serving(server, pki.server_context()) as url, asyncio.TaskGroup() as group:
        write_kubeconfig(home, url, pki)
        client = RestClient(server.local_transport(), "test", lambda: 300)
        informers, rng = InformerSet(client, CLOCK, Random(1).random), Random(1)
        parts = (
            Controllers(client, informers, CLOCK, system_ids(), controllers(config)),
            Scheduler(client, informers, CLOCK, system_ids(), rng.randrange, SchedulerConfig()),
            FakeKubelet(client, informers),
            informers,
        )
        tasks = [group.create_task(part.run()) for part in parts]
        yield Cluster(Kubectl(KUBECTLS[binary], home), client, url, pki)
        for task in tasks:
            task.cancel()


@pytest.fixture(params=[NEWEST])
async def cluster(request, tmp_path):
    async with _cluster(tmp_path, request.param) as running:
        yield running


def _request(name, common_name, key, **spec):
    given = {
        "request": pkcs10(common_name, ("dev",), (), key),
        "signerName": "kubernetes.io/kube-apiserver-client",
        "usages": ["client auth"],
        **spec,
    }
    kind = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest"}
    return yaml.safe_dump({**kind, "metadata": {"name": name}, "spec": given})


async def test_a_certificate_that_a_person_approved_opens_the_api(cluster, tmp_path):
    key, kubectl = new_key(), cluster.kubectl
    await kubectl("apply", "-f", "-", stdin=_request("alice", "alice", key, expirationSeconds=3600))
    row = (await kubectl("get", "csr", "alice", "--no-headers")).split()
    assert row[2:] == ["kubernetes.io/kube-apiserver-client", "kubernetes-admin", "60m", "Pending"]
    assert "approved" in await kubectl("certificate", "approve", "alice")
    await cluster.until("get", "csr", "alice", "--no-headers", shows="Approved,Issued")

    encoded = await kubectl("get", "csr", "alice", "-o", "jsonpath={.status.certificate}")
    context = client_context(cluster.pki, with_certificate=False)
    assert await _whoami(cluster.url, context) is None
    context.load_cert_chain(_pem(tmp_path, base64.b64decode(encoded), key))
    assert await _whoami(cluster.url, context) == ("alice", ["dev", "system:authenticated"])


def _pem(folder, certificate, key):
    path = folder / "client.pem"
    path.write_bytes(certificate + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


async def _whoami(url, context: ssl.SSLContext):
    review = {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1"}
    path = f"{url}/apis/authentication.k8s.io/v1/selfsubjectreviews"
    async with aiohttp.ClientSession() as session, session.post(path, json=review, ssl=context) as answer:
        if answer.status != 201:
            return None
        user = (await answer.json())["status"]["userInfo"]
        return user["username"], user["groups"]


async def test_a_request_that_is_denied_gets_nothing(cluster):
    kubectl = cluster.kubectl
    await kubectl("apply", "-f", "-", stdin=_request("bob", "bob", new_key()))
    assert "denied" in await kubectl("certificate", "deny", "bob")

    assert (await kubectl("get", "csr", "bob", "--no-headers")).split()[-1] == "Denied"
    assert await kubectl("get", "csr", "bob", "-o", "jsonpath={.status.certificate}") == ""
    both = await kubectl.run("certificate", "approve", "bob")
    assert both.code == 1
    assert "mutually exclusive" in both.err or "Denied" in both.err


async def test_what_is_approved_and_does_not_fit_its_signer_fails(cluster):
    kubectl = cluster.kubectl
    wrong = _request("node", "n1", new_key(), signerName="kubernetes.io/kubelet-serving")
    await kubectl("apply", "-f", "-", stdin=wrong)
    await kubectl("certificate", "approve", "node")

    await cluster.until("get", "csr", "node", "--no-headers", shows="Approved,Failed")
    reason = await kubectl("get", "csr", "node", "-o", 'jsonpath={.status.conditions[?(@.type=="Failed")].reason}')
    assert reason == "SignerValidationFailure"


DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "busybox:1.36"}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec:
  maxUnavailable: 1
  selector: {matchLabels: {app: web}}
"""


async def test_a_drain_waits_for_the_budget_and_goes_on(cluster):
    kubectl = cluster.kubectl
    await cluster.add_node("n1")
    await kubectl("apply", "-f", "-", stdin=DEPLOYMENT)
    await cluster.until("get", "pdb", "web", "-o", "jsonpath={.status.disruptionsAllowed}", shows="1")
    assert (await kubectl("get", "pdb", "web", "--no-headers")).split()[:4] == ["web", "N/A", "1", "1"]

    async with asyncio.TaskGroup() as group:
        draining = group.create_task(kubectl.run("drain", "n1", "--timeout=80s"))
        await cluster.until("get", "pdb", "web", "-o", "jsonpath={.status.currentHealthy}", shows="1")
        await asyncio.sleep(1.0)
        assert not draining.done()
        await cluster.add_node("n2")
    drained = draining.result()

    assert drained.code == 0, drained.err
    assert "Cannot evict pod as it would violate the pod's disruption budget" in drained.err
    assert "node/n1 drained" in drained.out
    await cluster.until("get", "deployment", "web", "-o", "jsonpath={.status.readyReplicas}", shows="2")
    where = await kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].spec.nodeName}")
    assert where == "n2 n2"


MORE_ADDRESSES = """
apiVersion: networking.k8s.io/v1
kind: ServiceCIDR
metadata: {name: more}
spec: {cidrs: ["10.97.0.0/28"]}
"""


async def test_another_range_gives_addresses_and_stays_while_one_of_them_is_held(cluster):
    kubectl = cluster.kubectl
    create = ("create", "service", "clusterip", "web", "--tcp=80", "--clusterip=10.97.0.5")
    early = await kubectl.run(*create)
    assert "the provided network does not match the current range" in early.err
    await kubectl("apply", "-f", "-", stdin=MORE_ADDRESSES)
    await cluster.until("get", "servicecidr", "more", "-o", "jsonpath={.status.conditions[0].status}", shows="True")
    header, row, *_ = (await kubectl("get", "servicecidr", "more")).splitlines()
    assert (header.split(), row.split()[:2]) == (["NAME", "CIDRS", "AGE"], ["more", "10.97.0.0/28"])
    await kubectl(*create)
    await cluster.until("get", "ipaddresses", shows="10.97.0.5")

    await kubectl("delete", "servicecidr", "more", "--wait=false")
    why = ("get", "servicecidr", "more", "-o", "jsonpath={.status.conditions[0].reason}")
    await cluster.until(*why, shows="Terminating")
    late = await kubectl.run("create", "service", "clusterip", "web2", "--tcp=80", "--clusterip=10.97.0.6")
    assert "does not match the current range" in late.err
    for name in [f"s{number}" for number in range(5)]:
        await kubectl("create", "service", "clusterip", name, "--tcp=80")
    assert "10.97." not in await kubectl("get", "services", "-l", "app!=web")
