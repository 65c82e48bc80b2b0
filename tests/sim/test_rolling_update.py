"""Rolling updates in virtual time: the strategy's bounds hold at every single change, whatever the timing."""

import random

import pytest

from minikube_py.api.meta import Obj, ObjectKey, controller_of, is_deleting, labels_of, uid_of
from minikube_py.api.resources import DEPLOYMENTS, ENDPOINT_SLICES, EVENTS, PODS, REPLICA_SETS, SERVICES
from minikube_py.controllers.deployment_scaling import bounds_of
from minikube_py.controllers.deployment_sets import REVISION
from minikube_py.controllers.pod_state import is_active, is_ready
from minikube_py.testing.fake_client import Recorded
from minikube_py.testing.workload_cluster import WorkloadCluster, a_deployment, status_of

KEY = ObjectKey("default", "web")


def pods_of(cluster: WorkloadCluster) -> list[Obj]:
    return [pod for pod in cluster.client.objects(PODS) if labels_of(pod).get("app") == "web"]


def is_rolled_out(cluster: WorkloadCluster, replicas: int) -> bool:
    status = status_of(cluster)
    counts = (status.get(field) for field in ("updatedReplicas", "replicas", "availableReplicas"))
    deployment = next(d for d in cluster.client.objects(DEPLOYMENTS))
    return status.get("observedGeneration") == deployment["metadata"]["generation"] and set(counts) == {replicas}


async def change_template(cluster: WorkloadCluster, image: str) -> None:
    template = {"spec": {"containers": [{"name": "c", "image": image}]}}
    await cluster.client.patch(DEPLOYMENTS, KEY, {"spec": {"template": template}})


@pytest.mark.parametrize("seed", range(8))
async def test_a_rolling_update_never_leaves_its_bounds(seed: int) -> None:
    print(f"seed {seed}")
    rng = random.Random(seed)
    replicas = rng.randint(1, 10)
    surge, unavailable = rng.choice([("25%", "25%"), (1, 0), (0, 1), (2, 0), ("100%", 0), (0, "50%"), (3, 2)])
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    cluster = WorkloadCluster(seed)
    for number in range(3):
        cluster.add_node(
            f"n{number}",
            ready_after_s=lambda: rng.uniform(0.1, 8.0),
            gone_after_s=lambda: rng.uniform(0.1, 8.0),
        )
    async with cluster.running():
        await cluster.client.create(DEPLOYMENTS, a_deployment(replicas=replicas, strategy=strategy))
        await cluster.advance_until(lambda: is_rolled_out(cluster, replicas), within_s=60)
        bounds = bounds_of(a_deployment(replicas=replicas, strategy=strategy))
        faults: list[str] = []

        def check(recorded: Recorded) -> None:
            if recorded.resource != PODS.qualified:
                return
            active = [pod for pod in pods_of(cluster) if is_active(pod)]
            available = sum(is_ready(pod) for pod in active)
            if available < bounds.available_min:
                faults.append(f"revision {recorded.revision}: {available} available, {bounds}")
            if len(active) > bounds.pods_max:
                faults.append(f"revision {recorded.revision}: {len(active)} pods, {bounds}")

        cluster.client.on_commit(check)
        for image in ("i:2", "i:3"):
            await change_template(cluster, image)
            if rng.random() < 0.5:
                await cluster.advance(rng.uniform(0, 5))
                await change_template(cluster, image + "b")
            await cluster.advance_until(lambda: is_rolled_out(cluster, replicas), within_s=600)

    assert faults == []


async def test_an_update_makes_a_revision_and_undoing_it_reuses_the_old_replica_set() -> None:
    cluster = WorkloadCluster()
    cluster.add_node("n1")
    async with cluster.running():
        await cluster.client.create(DEPLOYMENTS, a_deployment(replicas=2))
        await cluster.advance_until(lambda: is_rolled_out(cluster, 2), within_s=30)
        first = cluster.client.objects(REPLICA_SETS)[0]
        await change_template(cluster, "i:2")
        await cluster.advance_until(lambda: is_rolled_out(cluster, 2), within_s=60)
        assert cluster.client.objects(DEPLOYMENTS)[0]["metadata"]["annotations"][REVISION] == "2"
        await change_template(cluster, "i:1")
        await cluster.advance_until(lambda: is_rolled_out(cluster, 2), within_s=60)

    sets = {uid_of(rs): rs for rs in cluster.client.objects(REPLICA_SETS)}
    assert len(sets) == 2
    again = sets[uid_of(first)]
    assert again["spec"]["replicas"] == 2
    assert again["metadata"]["annotations"][REVISION] == "3"
    assert again["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"] == "1"
    assert cluster.client.objects(DEPLOYMENTS)[0]["metadata"]["annotations"][REVISION] == "3"


async def test_events_tell_what_happened_in_upstreams_words() -> None:
    cluster = WorkloadCluster()
    cluster.add_node("n1")
    async with cluster.running():
        await cluster.client.create(DEPLOYMENTS, a_deployment(replicas=1))
        await cluster.advance_until(lambda: is_rolled_out(cluster, 1), within_s=30)
        name = cluster.client.objects(REPLICA_SETS)[0]["metadata"]["name"]
        pod = cluster.client.objects(PODS)[0]["metadata"]["name"]
        await cluster.client.patch(DEPLOYMENTS, KEY, {"spec": {"replicas": 0}})
        await cluster.advance(5)

    said = {(e["source"]["component"], e["reason"], e["message"]) for e in cluster.client.objects(EVENTS)}
    assert {
        ("deployment-controller", "ScalingReplicaSet", f"Scaled up replica set {name} from 0 to 1"),
        ("deployment-controller", "ScalingReplicaSet", f"Scaled down replica set {name} from 1 to 0"),
        ("replicaset-controller", "SuccessfulCreate", f"Created pod: {pod}"),
        ("replicaset-controller", "SuccessfulDelete", f"Deleted pod: {pod}"),
        ("default-scheduler", "Scheduled", f"Successfully assigned default/{pod} to n1"),
    } <= said


async def test_recreate_ends_all_old_pods_before_the_first_new_one() -> None:
    cluster = WorkloadCluster()
    cluster.add_node("n1", gone_after_s=lambda: 5.0)
    overlaps: list[int] = []

    def check(recorded: Recorded) -> None:
        owners = {(controller_of(pod) or {}).get("uid") for pod in cluster.client.objects(PODS)}
        if len(owners) > 1:
            overlaps.append(recorded.revision)

    cluster.client.on_commit(check)
    async with cluster.running():
        await cluster.client.create(DEPLOYMENTS, a_deployment(strategy={"type": "Recreate"}))
        await cluster.advance_until(lambda: is_rolled_out(cluster, 3), within_s=30)
        await change_template(cluster, "i:2")
        await cluster.advance_until(lambda: is_rolled_out(cluster, 3), within_s=60)

    assert overlaps == []
    assert len(cluster.client.objects(REPLICA_SETS)) == 2


async def test_a_stuck_rollout_is_reported_after_its_deadline() -> None:
    cluster = WorkloadCluster()
    cluster.add_node("n1", ready_after_s=lambda: 1e9)
    async with cluster.running():
        await cluster.client.create(DEPLOYMENTS, a_deployment(replicas=1, progressDeadlineSeconds=20))
        await cluster.advance(10)
        before = {c["type"]: c["reason"] for c in status_of(cluster)["conditions"]}
        await cluster.advance(15)

    assert before["Progressing"] == "ReplicaSetUpdated"
    progressing = next(c for c in status_of(cluster)["conditions"] if c["type"] == "Progressing")
    assert (progressing["status"], progressing["reason"]) == ("False", "ProgressDeadlineExceeded")
    assert progressing["message"].endswith("has timed out progressing.")


async def test_a_paused_deployment_scales_but_does_not_roll() -> None:
    cluster = WorkloadCluster()
    cluster.add_node("n1")
    async with cluster.running():
        await cluster.client.create(DEPLOYMENTS, a_deployment(replicas=2))
        await cluster.advance_until(lambda: is_rolled_out(cluster, 2), within_s=30)
        await cluster.client.patch(DEPLOYMENTS, KEY, {"spec": {"paused": True}})
        await change_template(cluster, "i:2")
        await cluster.client.patch(DEPLOYMENTS, KEY, {"spec": {"replicas": 4}})
        await cluster.advance(20)
        images = {pod["spec"]["containers"][0]["image"] for pod in pods_of(cluster)}
        paused = {c["type"]: c["reason"] for c in status_of(cluster)["conditions"]}
        assert (len(pods_of(cluster)), images) == (4, {"i:1"})
        assert paused["Progressing"] == "DeploymentPaused"
        await cluster.client.patch(DEPLOYMENTS, KEY, {"spec": {"paused": None}})
        await cluster.advance_until(lambda: is_rolled_out(cluster, 4), within_s=60)

    assert {pod["spec"]["containers"][0]["image"] for pod in pods_of(cluster) if not is_deleting(pod)} == {"i:2"}


async def test_old_replica_sets_beyond_the_history_limit_are_deleted() -> None:
    cluster = WorkloadCluster()
    cluster.add_node("n1")
    async with cluster.running():
        await cluster.client.create(DEPLOYMENTS, a_deployment(replicas=1, revisionHistoryLimit=1))
        for number in range(1, 5):
            await change_template(cluster, f"i:{number}")
            await cluster.advance_until(lambda: is_rolled_out(cluster, 1), within_s=60)
        await cluster.advance(5)

    revisions = sorted(rs["metadata"]["annotations"][REVISION] for rs in cluster.client.objects(REPLICA_SETS))
    assert revisions == ["3", "4"]


async def test_min_ready_seconds_delays_availability() -> None:
    cluster = WorkloadCluster()
    cluster.add_node("n1", ready_after_s=lambda: 1.0)
    async with cluster.running():
        await cluster.client.create(DEPLOYMENTS, a_deployment(replicas=1, minReadySeconds=10))
        await cluster.advance(6)
        early = dict(status_of(cluster))
        await cluster.advance(8)

    assert (early.get("readyReplicas"), early.get("availableReplicas")) == (1, None)
    assert status_of(cluster)["availableReplicas"] == 1


async def test_a_deleted_pod_leaves_its_endpoint_slice_in_the_same_moment() -> None:
    cluster = WorkloadCluster()
    cluster.add_node("n1", gone_after_s=lambda: 20.0)
    async with cluster.running():
        service = {"selector": {"app": "web"}, "clusterIP": "10.96.0.5", "ports": [{"port": 80, "targetPort": 8080}]}
        await cluster.client.create(SERVICES, {"metadata": {"name": "web", "namespace": "default"}, "spec": service})
        await cluster.client.create(DEPLOYMENTS, a_deployment(replicas=2))
        await cluster.advance_until(lambda: is_rolled_out(cluster, 2), within_s=30)
        victim = pods_of(cluster)[0]
        await cluster.client.delete(PODS, ObjectKey("default", victim["metadata"]["name"]))
        await cluster.advance(0)

    (endpoint_slice,) = cluster.client.objects(ENDPOINT_SLICES)
    by_pod = {e["targetRef"]["name"]: e["conditions"] for e in endpoint_slice["endpoints"]}
    assert by_pod[victim["metadata"]["name"]] == {"ready": False, "serving": True, "terminating": True}
    assert sum(conditions["ready"] for conditions in by_pod.values()) == 1


async def test_a_default_rollout_ends_as_upstream_was_seen_to_end() -> None:
    """Recorded from upstream's controllers: 3 replicas, 25%/25%, one change of the template."""
    cluster = WorkloadCluster()
    cluster.add_node("n1")
    reasons: list[str] = []

    def note(recorded: Recorded) -> None:
        conditions = (recorded.last.get("status") or {}).get("conditions") or ()
        if recorded.resource == DEPLOYMENTS.qualified:
            reasons.extend(c["reason"] for c in conditions if c["type"] == "Progressing")

    async with cluster.running():
        await cluster.client.create(DEPLOYMENTS, a_deployment())
        await cluster.advance_until(lambda: is_rolled_out(cluster, 3), within_s=30)
        cluster.client.on_commit(note)
        await change_template(cluster, "i:2")
        await cluster.advance_until(lambda: is_rolled_out(cluster, 3), within_s=60)
        await cluster.advance(5)

    status = dict(status_of(cluster))
    conditions = [(c["type"], c["status"], c["reason"], c["message"]) for c in status.pop("conditions")]
    old, new = sorted(cluster.client.objects(REPLICA_SETS), key=lambda rs: rs["metadata"]["annotations"][REVISION])
    notes = {"deployment.kubernetes.io/desired-replicas": "3", "deployment.kubernetes.io/max-replicas": "4"}
    # In the recording of 1.20 pods that go away were not counted apart yet.
    gone = {"terminatingReplicas": 0}
    counts = {"replicas": 3, "fullyLabeledReplicas": 3, "readyReplicas": 3, "availableReplicas": 3, **gone}
    assert status == {
        "observedGeneration": 2,
        "replicas": 3,
        "updatedReplicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
        **gone,
    }
    assert conditions == [
        ("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability."),
        (
            "Progressing",
            "True",
            "NewReplicaSetAvailable",
            f'ReplicaSet "{new["metadata"]["name"]}" has successfully progressed.',
        ),
    ]
    assert list(dict.fromkeys(reasons)) == ["NewReplicaSetAvailable", "NewReplicaSetCreated", "ReplicaSetUpdated"]
    assert (new["metadata"]["generation"], new["status"]) == (3, {**counts, "observedGeneration": 3})
    assert (old["metadata"]["generation"], old["status"]) == (4, {"replicas": 0, **gone, "observedGeneration": 4})
    assert new["metadata"]["annotations"] == {**notes, REVISION: "2"}
    assert old["metadata"]["annotations"] == {**notes, REVISION: "1"}
