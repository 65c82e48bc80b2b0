"""Nodes that die, owners that go, namespaces that end: what the controllers do about it, in virtual time."""

from typing import Any

from minikube_py.api.meta import Obj, ObjectKey, is_deleting, metadata, name_of
from minikube_py.api.resources import (
    CONFIGMAPS,
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    ENDPOINTS,
    EVENTS,
    NAMESPACES,
    NODES,
    PODS,
    REPLICA_SETS,
    SERVICE_ACCOUNTS,
    SERVICES,
)
from minikube_py.client.interface import DeleteOptions
from minikube_py.controllers.pod_state import is_ready
from minikube_py.testing.workload_cluster import WorkloadCluster, a_deployment, status_of

KEY = ObjectKey("default", "web")
TOLERATIONS = [
    {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
]


def tolerant_deployment(replicas: int) -> dict[str, Any]:
    deployment = a_deployment(replicas=replicas)
    deployment["spec"]["template"]["spec"]["tolerations"] = TOLERATIONS
    return deployment


def node(cluster: WorkloadCluster, name: str) -> Obj:
    return next(n for n in cluster.client.objects(NODES) if name_of(n) == name)


def pods_on(cluster: WorkloadCluster, name: str) -> list[Obj]:
    return [pod for pod in cluster.client.objects(PODS) if pod["spec"].get("nodeName") == name]


async def test_a_silent_node_becomes_unknown_and_its_pods_are_replaced_when_they_stop_tolerating_it() -> None:
    cluster = WorkloadCluster()
    cluster.add_node("n1")
    dying = cluster.add_node("n2")
    async with cluster.running():
        service = {"selector": {"app": "web"}, "clusterIP": "10.96.0.5", "ports": [{"port": 80}]}
        await cluster.client.create(SERVICES, {"metadata": {"name": "web", "namespace": "default"}, "spec": service})
        await cluster.client.create(DEPLOYMENTS, tolerant_deployment(4))
        await cluster.advance_until(lambda: status_of(cluster).get("availableReplicas") == 4, within_s=30)
        assert len(pods_on(cluster, "n2")) == 2
        dying.alive = False
        await cluster.advance(35)
        assert "taints" not in node(cluster, "n2")["spec"]
        await cluster.advance(20)
        conditions = {c["type"]: c["status"] for c in node(cluster, "n2")["status"]["conditions"]}
        taints = {(t["key"], t["effect"]) for t in node(cluster, "n2")["spec"]["taints"]}
        (endpoint_slice,) = cluster.client.objects(ENDPOINT_SLICES)
        ready = {e["nodeName"] for e in endpoint_slice["endpoints"] if e["conditions"]["ready"]}
        assert set(conditions.values()) == {"Unknown"}
        assert taints == {
            ("node.kubernetes.io/unreachable", "NoSchedule"),
            ("node.kubernetes.io/unreachable", "NoExecute"),
        }
        assert not any(is_ready(pod) for pod in pods_on(cluster, "n2"))
        assert ready == {"n1"}
        assert not any(is_deleting(pod) for pod in pods_on(cluster, "n2"))
        await cluster.advance(310)

    assert all(is_deleting(pod) for pod in pods_on(cluster, "n2"))
    assert sum(is_ready(pod) for pod in pods_on(cluster, "n1")) == 4
    assert "TaintManagerEviction" in {event["reason"] for event in cluster.client.objects(EVENTS)}


async def test_a_node_that_comes_back_loses_its_taints() -> None:
    cluster = WorkloadCluster()
    cluster.add_node("n1")
    sleepy = cluster.add_node("n2")
    async with cluster.running():
        sleepy.alive = False
        await cluster.advance(60)
        assert node(cluster, "n2")["spec"]["taints"]
        sleepy.alive = True
        status = {"conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": "2026-01-01T00:01:30Z"}]}
        await cluster.client.patch(NODES, ObjectKey("", "n2"), {"status": status}, subresource="status")
        await cluster.advance(15)

    assert not node(cluster, "n2")["spec"].get("taints")


async def test_when_all_nodes_are_silent_no_pod_is_evicted() -> None:
    cluster = WorkloadCluster()
    only = cluster.add_node("n1")
    async with cluster.running():
        await cluster.client.create(DEPLOYMENTS, a_deployment(replicas=1))
        await cluster.advance_until(lambda: status_of(cluster).get("availableReplicas") == 1, within_s=30)
        only.alive = False
        await cluster.advance(600)

    assert {t["effect"] for t in node(cluster, "n1")["spec"]["taints"]} == {"NoSchedule"}
    assert [is_deleting(pod) for pod in pods_on(cluster, "n1")] == [False]


async def test_pods_of_a_deleted_node_are_removed_after_the_quarantine() -> None:
    cluster = WorkloadCluster()
    cluster.add_node("n1")
    cluster.add_node("n2").alive = True
    async with cluster.running():
        await cluster.client.create(DEPLOYMENTS, tolerant_deployment(2))
        await cluster.advance_until(lambda: status_of(cluster).get("availableReplicas") == 2, within_s=30)
        cluster.kubelets["n2"].alive = False
        await cluster.client.delete(NODES, ObjectKey("", "n2"))
        await cluster.advance(30)
        assert len(pods_on(cluster, "n2")) == 1
        await cluster.advance(20)

    assert pods_on(cluster, "n2") == []
    assert len(pods_on(cluster, "n1")) == 2


async def test_background_deletion_takes_everything_below_with_it() -> None:
    cluster = WorkloadCluster()
    cluster.add_node("n1")
    async with cluster.running():
        await cluster.client.create(DEPLOYMENTS, a_deployment(replicas=2))
        await cluster.advance(10)
        await cluster.client.delete(DEPLOYMENTS, KEY, DeleteOptions(propagation="Background"))
        await cluster.advance(10)

    assert cluster.client.objects(REPLICA_SETS) == []
    assert cluster.client.objects(PODS) == []


async def test_foreground_deletion_keeps_the_owner_until_its_dependents_are_gone() -> None:
    cluster = WorkloadCluster()
    cluster.add_node("n1", gone_after_s=lambda: 5.0)
    async with cluster.running():
        await cluster.client.create(DEPLOYMENTS, a_deployment(replicas=2))
        await cluster.advance(10)
        await cluster.client.delete(DEPLOYMENTS, KEY, DeleteOptions(propagation="Foreground"))
        await cluster.advance(2)
        assert [is_deleting(d) for d in cluster.client.objects(DEPLOYMENTS)] == [True]
        assert [metadata(rs)["finalizers"] for rs in cluster.client.objects(REPLICA_SETS)] == [["foregroundDeletion"]]
        assert all(is_deleting(pod) for pod in cluster.client.objects(PODS))
        await cluster.advance(10)

    assert cluster.client.objects(DEPLOYMENTS) == []
    assert cluster.client.objects(REPLICA_SETS) == []
    assert cluster.client.objects(PODS) == []


async def test_orphaning_deletion_leaves_the_dependents_without_owner() -> None:
    cluster = WorkloadCluster()
    cluster.add_node("n1")
    async with cluster.running():
        await cluster.client.create(DEPLOYMENTS, a_deployment(replicas=1))
        await cluster.advance(10)
        await cluster.client.delete(DEPLOYMENTS, KEY, DeleteOptions(propagation="Orphan"))
        await cluster.advance(5)

    (replica_set,) = cluster.client.objects(REPLICA_SETS)
    assert cluster.client.objects(DEPLOYMENTS) == []
    assert not metadata(replica_set).get("ownerReferences")
    assert len(cluster.client.objects(PODS)) == 1


async def test_an_object_whose_owner_never_was_is_collected() -> None:
    cluster = WorkloadCluster()
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "no-such-uid"}
    async with cluster.running():
        await cluster.client.create(
            CONFIGMAPS, {"metadata": {"name": "c", "namespace": "default", "ownerReferences": [owner]}}
        )
        await cluster.advance(1)

    assert "c" not in {name_of(c) for c in cluster.client.objects(CONFIGMAPS)}


async def test_a_namespace_goes_with_all_that_is_in_it() -> None:
    cluster = WorkloadCluster()
    cluster.add_node("n1", gone_after_s=lambda: 3.0)
    async with cluster.running():
        await cluster.client.create(NAMESPACES, {"metadata": {"name": "shop"}})
        deployment = a_deployment(replicas=2)
        deployment["metadata"]["namespace"] = "shop"
        await cluster.client.create(DEPLOYMENTS, deployment)
        service = {"selector": {"app": "web"}, "clusterIP": "10.96.0.5", "ports": [{"port": 80}]}
        await cluster.client.create(SERVICES, {"metadata": {"name": "web", "namespace": "shop"}, "spec": service})
        await cluster.advance(10)
        await cluster.client.delete(NAMESPACES, ObjectKey("", "shop"))
        await cluster.advance(1)
        conditions = {c["type"]: c for c in cluster.client.objects(NAMESPACES)[-1]["status"]["conditions"]}
        assert conditions["NamespaceContentRemaining"]["message"] == (
            "Some resources are remaining: pods. has 2 resource instances"
        )
        await cluster.advance(10)

    assert [name_of(n) for n in cluster.client.objects(NAMESPACES)] == ["default", "kube-node-lease"]
    for resource in (DEPLOYMENTS, REPLICA_SETS, PODS, SERVICES, ENDPOINTS, ENDPOINT_SLICES, EVENTS, CONFIGMAPS):
        assert [o for o in cluster.client.objects(resource) if metadata(o)["namespace"] == "shop"] == []


async def test_every_namespace_has_a_default_account_and_the_ca_and_gets_them_back() -> None:
    cluster = WorkloadCluster()
    async with cluster.running():
        await cluster.client.delete(SERVICE_ACCOUNTS, ObjectKey("default", "default"))
        await cluster.client.patch(CONFIGMAPS, ObjectKey("default", "kube-root-ca.crt"), {"data": {"ca.crt": "x"}})
        await cluster.advance(1)

    found = [str(ObjectKey(metadata(a)["namespace"], name_of(a))) for a in cluster.client.objects(SERVICE_ACCOUNTS)]
    assert found == ["default/default", "kube-node-lease/default"]
    assert {c["data"]["ca.crt"] for c in cluster.client.objects(CONFIGMAPS)} == {"-----BEGIN CERTIFICATE-----\n"}


async def test_each_node_gets_a_range_of_its_own_and_a_freed_one_is_used_again() -> None:
    cluster = WorkloadCluster()
    for name in ("n1", "n2", "n3"):
        cluster.add_node(name)
    async with cluster.running():
        ranges = [n["spec"]["podCIDR"] for n in cluster.client.objects(NODES)]
        assert ranges == ["10.244.0.0/24", "10.244.1.0/24", "10.244.2.0/24"]
        await cluster.client.delete(NODES, ObjectKey("", "n2"))
        await cluster.client.create(NODES, {"metadata": {"name": "n4"}})
        await cluster.advance(0)

    assert node(cluster, "n4")["spec"]["podCIDRs"] == ["10.244.1.0/24"]


async def test_a_pod_waits_until_a_node_can_take_it_and_says_why() -> None:
    cluster = WorkloadCluster()
    cluster.add_node("n1", allocatable={"cpu": "500m", "memory": "1Gi", "pods": "110"})
    pod = {
        "metadata": {"name": "big", "namespace": "default"},
        "spec": {
            "schedulerName": "default-scheduler",
            "containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "1"}}}],
        },
    }
    async with cluster.running():
        await cluster.client.create(PODS, pod)
        await cluster.advance(0)
        waiting = cluster.client.objects(PODS)[0]["status"]["conditions"][0]
        status = {"allocatable": {"cpu": "2", "memory": "1Gi", "pods": "110"}}
        await cluster.client.patch(NODES, ObjectKey("", "n1"), {"status": status}, subresource="status")
        await cluster.advance(2)

    assert (waiting["type"], waiting["status"], waiting["reason"]) == ("PodScheduled", "False", "Unschedulable")
    assert waiting["message"] == (
        "0/1 nodes are available: 1 Insufficient cpu. "
        "no new claims to deallocate, "
        "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    )
    assert cluster.client.objects(PODS)[0]["spec"]["nodeName"] == "n1"


async def test_a_gated_pod_is_scheduled_when_its_gate_is_removed() -> None:
    cluster = WorkloadCluster()
    cluster.add_node("n1")
    spec = {"schedulingGates": [{"name": "wait"}], "containers": [{"name": "c", "image": "i"}]}
    async with cluster.running():
        await cluster.client.create(PODS, {"metadata": {"name": "p", "namespace": "default"}, "spec": spec})
        await cluster.advance(5)
        gated = cluster.client.objects(PODS)[0]["spec"].get("nodeName")
        await cluster.client.patch(PODS, ObjectKey("default", "p"), {"spec": {"schedulingGates": None}})
        await cluster.advance(0)

    assert gated is None
    assert cluster.client.objects(PODS)[0]["spec"]["nodeName"] == "n1"
